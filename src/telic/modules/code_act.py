"""Acting by code: each turn a program that calls the tools (Wang et al., 2024, arXiv:2402.01030)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from inspect import isroutine
from typing import Any

from telic._json import dumps
from telic.errors import AdapterParseError, ContextWindowExceededError, InputError
from telic.modules.chain_of_thought import ChainOfThought
from telic.modules.code_tools import tools_by_name
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.sandbox.interpreter import CodeInterpreter, FinalOutput
from telic.sandbox.printed import shortened
from telic.sandbox.python_interpreter import PythonInterpreter
from telic.sandbox.session import Ran, running, session
from telic.sandbox.source import python_code, showing_its_end
from telic.signatures import InputField, OutputField, ensure_signature, make_signature

MAX_OUTPUT = 20_000
"""Characters of a turn's output in the trajectory."""

logger = logging.getLogger("telic")


class CodeAct(Answering[Answer], SteppedModule):
    """Let the model write code that calls the tools, run it and show what came out, until it knows enough;
    then extract the outputs.

    The tools run in this process, whatever the code runs in, so that they may use anything; the code sees
    their values as plain data.

    Args:
        signature: what is asked.
        tools: functions or `Tool`s.
        max_iters: most turns.
        interpreter_factory: makes the interpreter of a call; `PythonInterpreter`, or
            `settings.interpreter_factory` where that is set.

    The prediction has the outputs, `reasoning`, and `trajectory`: a dict of `generated_code_0`,
    `code_output_0` (or `observation_0`, where it failed), `generated_code_1`, …

    Raises:
        InputError: a tool is no function, or two have one name.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        tools: Sequence[Callable[..., Any]],
        max_iters: int = 5,
        interpreter_factory: Callable[[], CodeInterpreter] = PythonInterpreter,
    ) -> None:
        self.signature: Any = ensure_signature(signature)
        self.max_iters = max_iters
        for tool in tools:
            _require_function(tool)
        self.tools = tools_by_name(tools)
        self._interpreter_factory = interpreter_factory
        given: dict[str, Any] = {
            **{name: (field.annotation, field) for name, field in self.signature.input_fields.items()},
            "trajectory": (str, InputField(desc="the turns so far")),
        }
        move: dict[str, Any] = {
            "generated_code": (str, OutputField(desc="Python code to run next")),
            "finished": (bool, OutputField(desc="whether nothing is missing after this code")),
        }
        outputs = {name: (field.annotation, field) for name, field in self.signature.output_fields.items()}
        self.codeact = Predict(make_signature({**given, **move}, self._instructions()))
        self.extractor = ChainOfThought(make_signature({**given, **outputs}, self.signature.instructions))

    def steps(self, interpreter: CodeInterpreter | None = None, /, **kwargs: Any) -> Steps[Any]:
        """Act, then extract.

        Args:
            interpreter: the caller's own, which is left running.
            **kwargs: the inputs; `max_iters` overrides the number of turns for one call.

        Raises:
            CodeInterpreterError: the interpreter itself cannot go on.
        """
        trajectory: dict[str, Any] = {}
        max_iters = kwargs.pop("max_iters", self.max_iters)
        with session(self._interpreter_factory, interpreter) as box:
            box.tools.update(self.tools)
            for turn in range(max_iters):
                try:
                    move = yield from self._ask(self.codeact, trajectory, kwargs)
                except AdapterParseError as error:
                    logger.warning("CodeAct: the agent wrote no turn, and is asked for its answer: %s", error)
                    break
                yield from self._act(box, turn, move.generated_code, trajectory)
                if move.finished:
                    break
        answer = yield from self._ask(self.extractor, trajectory, kwargs)
        from telic.data.prediction import Prediction

        return Prediction(trajectory=trajectory, **dict(answer.items()))

    def truncate_trajectory(self, trajectory: dict[str, Any]) -> dict[str, Any]:
        """Leave out the oldest turn. Override it to keep something else.

        Raises:
            InputError: there is only one turn, which alone does not fit.
        """
        numbers = [key.rpartition("_")[2] for key in trajectory]
        if len(set(numbers)) <= 1:
            raise InputError(
                "The trajectory does not fit the model's window, and has only one turn, which cannot be left "
                "out: let the code print less, or use a model with a larger window."
            )
        return {key: value for key, value in trajectory.items() if key.rpartition("_")[2] != numbers[0]}

    def _act(self, box: CodeInterpreter, turn: int, written: str, trajectory: dict[str, Any]) -> Steps[None]:
        code = showing_its_end(python_code(written))
        if not code:
            trajectory[f"observation_{turn}"] = "No code was written."
            return
        trajectory[f"generated_code_{turn}"] = code
        ran: Ran = yield running(box, code)
        if ran.error is not None:
            trajectory[f"observation_{turn}"] = f"The code failed: {ran.error}"
            return
        result = ran.result.output if isinstance(ran.result, FinalOutput) else ran.result
        trajectory[f"code_output_{turn}"] = shortened(dumps(result), MAX_OUTPUT)

    def _ask(self, module: Any, trajectory: dict[str, Any], inputs: Mapping[str, Any]) -> Steps[Any]:
        shown = trajectory
        while True:
            try:
                return (yield Call(module, **inputs, trajectory=self._shown(shown)))
            except ContextWindowExceededError:
                logger.warning("The trajectory does not fit the model's window; its oldest turn is left out.")
                shown = self.truncate_trajectory(shown)

    def _shown(self, trajectory: Mapping[str, Any]) -> str:
        if not trajectory:
            return ""
        fields: dict[str, Any] = {name: (str, InputField()) for name in trajectory}
        signature = make_signature({**fields, "x": (str, OutputField())})
        return self.codeact.adapter_in_use().format_user_message_content(signature, trajectory)

    def _instructions(self) -> str:
        inputs = ", ".join(f"`{name}`" for name in self.signature.input_fields)
        outputs = ", ".join(f"`{name}`" for name in self.signature.output_fields)
        listed = "\n".join(f"({n}) {tool.format()}" for n, tool in enumerate(self.tools.values(), 1))
        return (
            f"{self.signature.instructions}\n\n"
            f"You work as an agent, in turns. You are given {inputs}, and your trajectory so far. Each turn, "
            f"write Python code that finds out something of what it takes to produce {outputs}. It is run, "
            "and what it printed, or the value of its last line, is added to the trajectory. Variables last "
            "from turn to turn. Write the code as one fenced block.\n"
            f"With the code that finds out the last thing missing, set finished to True.\n\n"
            f"The code can call these functions, which are there already:\n{listed or '(none)'}"
        )

    def __repr__(self) -> str:
        return f"CodeAct({self.signature.signature}, tools={list(self.tools)})"


def _require_function(tool: Any) -> None:
    from telic.types.tool import Tool

    if not isinstance(tool, Tool) and not isroutine(tool):
        raise InputError(
            f"CodeAct takes functions, not callable objects: write Tool(obj, name='…') for {tool!r:.60}."
        )
