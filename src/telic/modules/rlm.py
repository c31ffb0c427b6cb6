"""Recursive language models: a long context is a variable that the model explores by code and sub-calls
(Zhang et al., 2025, arXiv:2512.24601).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.errors import InputError
from telic.modules.code_tools import tools_by_name
from telic.modules.rlm_prompt import EXTRACTED, action_signature, extract_signature, instructions_of
from telic.modules.rlm_tools import require_free_names, sub_calls
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.sandbox.base import Interpreter
from telic.sandbox.factory import resolve_interpreter_factory
from telic.sandbox.interpreter import CodeInterpreter, FinalOutput
from telic.sandbox.python_interpreter import PythonInterpreter
from telic.sandbox.repl import REPLHistory, REPLVariable, described
from telic.sandbox.serializable import SandboxSerializable, assign
from telic.sandbox.session import Ran, running, session
from telic.sandbox.source import python_code
from telic.signatures import check_inputs, ensure_signature
from telic.signatures.validation import ValidationFailure, validate

logger = logging.getLogger("telic")


class RLM(Answering[Answer], SteppedModule):
    """Put the inputs into an interpreter as variables, and let the model write code, turn by turn, that looks
    into them, asks other models about parts of them, and submits the outputs.

    The prompt holds only the beginning of each input, so that inputs may be far longer than the model's
    window. In the code there are `llm_query(prompt)`, `llm_query_batched(prompts)`, the tools, and `SUBMIT`.

    Args:
        signature: what is asked.
        max_iters: most turns; then the outputs are extracted from what was found out.
        max_llm_calls: most sub-calls of one call of this module.
        max_output_chars: characters of each turn's output shown to the model.
        verbose: log each turn.
        tools: functions or `Tool`s that the code can call.
        sub_lm: the LM of sub-calls; the one in the settings by default.
        interpreter_factory: makes the interpreter of a call; `PythonInterpreter`, or
            `settings.interpreter_factory` where that is set.

    The prediction has the outputs, `trajectory` (a list of dicts of `reasoning`, `code`, `output`) and
    `final_reasoning`.

    Raises:
        InputError: names collide, or a tool cannot be one.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        max_iters: int = 20,
        max_llm_calls: int = 50,
        max_output_chars: int = 10_000,
        verbose: bool = False,
        tools: Sequence[Callable[..., Any]] | None = None,
        sub_lm: Any = None,
        interpreter_factory: Callable[[], CodeInterpreter] = PythonInterpreter,
    ) -> None:
        self.signature: Any = ensure_signature(signature)
        self.max_iters = max_iters
        self.max_llm_calls = max_llm_calls
        self.max_output_chars = max_output_chars
        self.verbose = verbose
        self.sub_lm = sub_lm
        self._interpreter_factory = interpreter_factory
        self._user_tools = tools_by_name(tools)
        require_free_names(self.signature, self._user_tools)
        self._first_guidance = instructions_of(resolve_interpreter_factory(interpreter_factory))
        self.generate_action = Predict(
            action_signature(self.signature, self._user_tools, max_llm_calls, self._first_guidance)
        )
        self.extract = Predict(extract_signature(self.signature))

    @property
    def tools(self) -> dict[str, Any]:
        """The user's tools by name."""
        return dict(self._user_tools)

    def steps(
        self, *, interpreter_factory: Callable[[], CodeInterpreter] | None = None, **input_args: Any
    ) -> Steps[Any]:
        """Explore until the outputs are submitted.

        Args:
            interpreter_factory: makes the interpreter of this call.
            **input_args: the inputs.

        Raises:
            InputError: inputs are missing or unknown.
            CodeInterpreterError: the interpreter itself cannot go on.
            BudgetExceededError: a sub-call has nothing left to spend.
        """
        inputs = check_inputs(self.signature, input_args)
        factory = interpreter_factory or resolve_interpreter_factory(self._interpreter_factory)
        about = described(
            [_variable(name, value, self.signature.input_fields[name]) for name, value in inputs.items()]
        )
        history = REPLHistory(max_output_chars=self.max_output_chars)
        with session(factory) as box:
            plain = self._prepare(box, inputs)
            for turn in range(1, self.max_iters + 1):
                action = yield self._asking(factory, about, history, turn)
                code = python_code(action.code)
                ran: Ran = yield running(box, code, plain)
                if ran.state_lost:
                    _assign_all(box, inputs)
                outputs, output = self._outcome(ran, of_lines=not isinstance(box, Interpreter))
                history = history.append(reasoning=action.reasoning, code=code, output=output)
                self._log(turn, history)
                if outputs is not None:
                    return _prediction(outputs, history, action.reasoning)
        answer = yield Call(self.extract, variables_info=about, repl_history=history.format())
        return _prediction(dict(answer.items()), history, EXTRACTED)

    def _asking(self, factory: Any, about: str, history: REPLHistory, turn: int) -> Call:
        told: dict[str, Any] = {
            "variables_info": about,
            "repl_history": history.format(),
            "iteration": f"{turn}/{self.max_iters}",
        }
        guidance = instructions_of(factory)
        if guidance != self._first_guidance:
            # Another interpreter than the one that the prompt was written for, for this call only.
            signature = self.generate_action.signature
            told["signature"] = signature.with_instructions(
                signature.instructions.replace(self._first_guidance, guidance)
                if self._first_guidance
                else f"{signature.instructions}\n\n{guidance}"
            )
        return Call(self.generate_action, **told)

    def _prepare(self, box: CodeInterpreter, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Give the interpreter its tools and what is no plain data; the inputs that are."""
        box.start()
        box.tools.update(sub_calls(self.sub_lm, self.max_llm_calls))
        box.tools.update(self._user_tools)
        if hasattr(box, "output_fields"):
            box.output_fields = [{"name": name} for name in self.signature.output_fields]
        _assign_all(box, inputs)
        return {name: value for name, value in inputs.items() if not isinstance(value, SandboxSerializable)}

    def _outcome(self, ran: Ran, *, of_lines: bool) -> tuple[dict[str, Any] | None, str]:
        """The outputs, where they were submitted and fit; and what the model is shown of the turn.

        Args:
            ran: what came of its code.
            of_lines: a list is one of printed lines, as other interpreters than ours give, and no value.
        """
        if ran.error is not None:
            return None, f"[Error] {ran.error}"
        result = ran.result
        if isinstance(result, FinalOutput):
            try:
                outputs = self._read(result.output)
            except (InputError, ValidationFailure) as error:
                return None, f"[Error] The submitted outputs were not taken: {error}"
            return outputs, f"FINAL: {outputs}"
        if of_lines and isinstance(result, list):
            result = "\n".join(map(str, result))
        text = "" if result is None else str(result)
        return None, text or "(no output: what is to be seen must be printed)"

    def _read(self, submitted: Any) -> dict[str, Any]:
        fields = self.signature.output_fields
        if not isinstance(submitted, dict):
            raise InputError(f"SUBMIT needs values for {', '.join(fields)}, not {submitted!r:.200}.")
        missing = [name for name in fields if name not in submitted]
        if missing:
            raise InputError(f"{', '.join(missing)} missing. Call SUBMIT({', '.join(fields)}).")
        return {name: validate(field, submitted[name]) for name, field in fields.items()}

    def _log(self, turn: int, history: REPLHistory) -> None:
        if self.verbose:
            entry = history.entries[-1]
            logger.info("RLM, turn %d of %d\n%s", turn, self.max_iters, entry.format(turn, 2_000))

    def __repr__(self) -> str:
        return f"RLM({self.signature.signature}, tools={list(self._user_tools)})"


def _variable(name: str, value: Any, field: Any) -> REPLVariable:
    if isinstance(value, SandboxSerializable):
        return value.to_repl_variable(name, field)
    return REPLVariable.of(name, value, field)


def _assign_all(box: CodeInterpreter, inputs: Mapping[str, Any]) -> None:
    for name, value in inputs.items():
        if isinstance(value, SandboxSerializable):
            assign(box, name, value)


def _prediction(outputs: Mapping[str, Any], history: REPLHistory, reasoning: str) -> Any:
    from telic.data.prediction import Prediction

    trajectory = [{"reasoning": e.reasoning, "code": e.code, "output": e.output} for e in history]
    return Prediction(**outputs, trajectory=trajectory, final_reasoning=reasoning)
