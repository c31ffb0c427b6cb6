"""The backend for OpenAI's finetuning interface, and servers that speak it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from telic._json import dumps
from telic.errors import LMError, TrainingError
from telic.finetune.backend import JobStatus, TrainedModel, TrainingForecast, TrainingSpec
from telic.finetune.data import Format
from telic.finetune.remote.api import Api, not_there
from telic.finetune.remote.jobs import LOST, Note, begun, file_id, status_of
from telic.finetune.remote.options import check_options, epochs_of, job_body
from telic.finetune.serving import provenance_of
from telic.lm.http.providers import http_engine_for
from telic.store.home import home

if TYPE_CHECKING:
    from telic.lm.model import LM

_LEAST_ROWS = 10
_LONGEST_ROW = 65_536
_BYTES_PER_TOKEN = 4
_USUAL_EPOCHS = 3


class RemoteBackend:
    """Trains at a provider over OpenAI's finetuning interface.

    A job is found again by its training file, whose name has the key of the spec: by a note on this machine
    where there is one, else by the server's own lists. So a compile that was killed, or goes on elsewhere,
    neither uploads twice what has arrived nor starts a job twice.

    Args:
        api_base: base URL of the server; by default the provider's own.
        api_key: the key; by default from the provider's environment variable.
        poll: longest seconds between two looks at a job.
        usd_per_million: US dollars for a million trained tokens, for forecasts and budgets.
        folder: where notes of jobs are kept; by default under telic's home.
        connection: further arguments of how `telic.LM` reaches a server: `timeout`, `headers`, …
    """

    name: ClassVar[str] = "remote"
    formats: ClassVar[frozenset[Format]] = frozenset({"chat", "preference"})

    def __init__(
        self,
        api_base: str | None = None,
        api_key: str | None = None,
        *,
        poll: float = 15.0,
        usd_per_million: float | None = None,
        folder: Path | None = None,
        **connection: Any,
    ) -> None:
        self.poll = poll
        self.usd_per_million = usd_per_million
        self._folder = folder
        self._connection = {"api_base": api_base, "api_key": api_key, **connection}
        self._apis: dict[str, Api] = {}

    @classmethod
    def of(cls, lm: LM) -> RemoteBackend:
        """The backend where `lm` is served, reached as it is."""
        kept = {k: v for k, v in lm._connection.items() if k not in ("adapter", "engine_options")}
        if "base_url" in kept:
            kept["api_base"] = kept.pop("base_url")
        return cls(num_retries=lm.num_retries, **kept)

    def get_params(self) -> dict[str, Any]:
        """What the outcome of a compile depends on: where it is trained."""
        return {"api_base": self._connection.get("api_base")}

    # The contract; see `telic.finetune.Backend`.

    def check(self, spec: TrainingSpec) -> None:
        """Formats, options, key, number and length of rows."""
        data = spec.data
        if data.format not in self.formats:
            raise TrainingError(
                f"The remote backend trains on {' or '.join(sorted(self.formats))}, not on '{data.format}'. "
                "Let the program speak through telic.ChatAdapter or telic.JSONAdapter, whose prompts are "
                "chats."
            )
        if spec.start is not None:
            raise TrainingError("The remote backend goes on from a model's name, not from a folder.")
        check_options(spec.options, data.format)
        api = self._api(spec.model)
        try:
            api.key_is_there()
        except LMError as error:
            raise TrainingError(f"{spec.model} cannot be trained: {error.message}") from error
        if not data.rows:
            raise TrainingError("The training set is empty.")
        if api.is_openai and len(data.rows) < _LEAST_ROWS:
            raise TrainingError(f"OpenAI trains on {_LEAST_ROWS} examples or more; there are {len(data)}.")
        for number, row in enumerate(data.rows):
            if (tokens := _tokens(dumps(row.to_row(data.format)))) > _LONGEST_ROW and api.is_openai:
                raise TrainingError(
                    f"Training example {number} has about {tokens:,} tokens; OpenAI takes up to "
                    f"{_LONGEST_ROW:,}. Shorten the inputs or use fewer demos."
                )

    def forecast(self, spec: TrainingSpec) -> TrainingForecast:
        """Tokens by the size of the data; dollars where the price was given."""
        epochs = epochs_of(spec.options)
        tokens = _tokens(spec.data.to_jsonl()) * (epochs or _USUAL_EPOCHS)
        notes = [] if epochs else [f"The provider chooses the epochs; {_USUAL_EPOCHS} are reckoned with."]
        usd = None if self.usd_per_million is None else tokens / 1e6 * self.usd_per_million
        if usd is None:
            notes.append(
                f"The price of training {spec.model} is not known; give usd_per_million=… to have it."
            )
        return TrainingForecast(0, None, 0, tokens, usd, tuple(notes))

    def submit(self, spec: TrainingSpec) -> str:
        """Upload and begin, or find what was begun; returns the provider and the server's id of the job."""
        api = self._api(spec.model)
        note = Note.of(self._notes, api.endpoint, spec.key)
        known = note.read().get("job")
        if known is not None and _still_good(api, str(known)):
            return f"{api.provider}:{known}"
        note.write(provenance=provenance_of(self.name, spec, endpoint=api.endpoint))
        files = {"training_file": file_id(api, spec.data, f"telic-{spec.key[:24]}.jsonl", note)}
        if spec.validation is not None:
            name = f"telic-{spec.key[:24]}-validation.jsonl"
            files["validation_file"] = file_id(api, spec.validation, name, note)
        model = spec.model.partition("/")[2]
        job = begun(api, {**job_body(model, spec.data.format, spec.options), **files})
        note.write(job=job)
        return f"{api.provider}:{job}"

    def status(self, job: str) -> JobStatus:
        """As the server tells; the loss and the steps from the job's events."""
        api, row = self._found(job)
        return status_of(row, api.events(row["id"]) if row.get("status") == "running" else ())

    def cancel(self, job: str) -> None:
        """Stop a job; one that has ended stays as it is."""
        api, row = self._found(job)
        if not status_of(row).ended:
            api.cancel(row["id"])

    def result(self, job: str) -> TrainedModel:
        """The model by its name at the provider."""
        api, row = self._found(job)
        name = row.get("fine_tuned_model")
        if row.get("status") != "succeeded" or not name:
            status = status_of(row)
            why = f" {status.error}" if status.error else ""
            raise TrainingError(f"Job {job} has made no model: it is {status.state}.{why}")
        noted = Note.of_job(self._notes, row["id"])
        told = {"backend": self.name, "base": row.get("model"), "endpoint": api.endpoint, **noted, "job": job}
        told |= {k: row[k] for k in ("trained_tokens", "hyperparameters", "seed") if row.get(k) is not None}
        return TrainedModel(f"{api.provider}/{name}", {}, None, told)

    # How it is reached.

    @property
    def _notes(self) -> Path:
        return self._folder or home() / "finetune" / "remote"

    def _api(self, model: str) -> Api:
        provider = model.partition("/")[0]
        if provider not in self._apis:
            engine = http_engine_for(model, **self._connection)
            if engine is None:
                raise TrainingError(f"{model}: its provider does not speak OpenAI's protocol.")
            self._apis[provider] = Api(engine)
        return self._apis[provider]

    def _found(self, job: str) -> tuple[Api, dict[str, Any]]:
        provider, colon, name = job.partition(":")
        if not colon or not name:
            raise TrainingError(f"'{job}' is no job of the remote backend: those begin with the provider.")
        api = self._api(f"{provider}/any")
        try:
            return api, api.job(name)
        except LMError as error:
            if not not_there(error):
                raise
            raise TrainingError(f"There is no job '{name}' at {api.endpoint}.") from error


def _still_good(api: Api, job: str) -> bool:
    """Whether a job is there, and neither failed nor was cancelled."""
    try:
        return api.job(job).get("status") not in LOST
    except LMError as error:
        if not_there(error):
            return False
        raise


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)
