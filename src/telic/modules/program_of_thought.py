"""Program of thought: compute the answer with a program (Chen et al., 2022, arXiv:2211.12588)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from telic._json import dumps
from telic.errors import CodeExecutionError
from telic.modules.chain_of_thought import ChainOfThought
from telic.program.answers import Answer, Answering
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.sandbox.interpreter import CodeInterpreter, FinalOutput
from telic.sandbox.printed import shortened
from telic.sandbox.python_interpreter import PythonInterpreter
from telic.sandbox.session import Ran, running, session
from telic.sandbox.source import python_code, showing_its_end
from telic.signatures import InputField, OutputField, Signature, ensure_signature, make_signature

MAX_OUTPUT = 100_000
"""Characters of what a program gives that the model is shown."""

logger = logging.getLogger("telic")

_CODE = "Python code that computes the answer"


class ProgramOfThought(Answering[Answer], SteppedModule):
    """Let the model write a program, run it, and read the outputs off what it gave.

    Code that raises goes back to the model with its error. The code runs in an interpreter of this call's
    own, which is shut down at its end.

    Args:
        signature: what is asked.
        max_iters: most programs to try.
        interpreter_factory: makes the interpreter; `PythonInterpreter`, or `settings.interpreter_factory`
            where that is set.

    The prediction has the outputs and `reasoning`.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        max_iters: int = 3,
        interpreter_factory: Callable[[], CodeInterpreter] = PythonInterpreter,
    ) -> None:
        self.signature: Any = ensure_signature(signature)
        self.max_iters = max_iters
        self.input_fields = self.signature.input_fields
        self.output_fields = self.signature.output_fields
        self.code_generate = ChainOfThought(self._signature("generate"))
        self.code_regenerate = ChainOfThought(self._signature("regenerate"))
        self.generate_output = ChainOfThought(self._signature("answer"))
        self._interpreter_factory = interpreter_factory

    def steps(self, interpreter: CodeInterpreter | None = None, /, **kwargs: Any) -> Steps[Any]:
        """Write code until some runs, then answer.

        Args:
            interpreter: the caller's own, which is left running.
            **kwargs: the inputs.

        Raises:
            CodeExecutionError: no code ran (a `RuntimeError`).
            CodeInterpreterError: the interpreter itself cannot go on.
        """
        with session(self._interpreter_factory, interpreter) as box:
            code, output = yield from self._computed(box, kwargs)
        return (yield Call(self.generate_output, **kwargs, final_generated_code=code, code_output=output))

    def _computed(self, box: CodeInterpreter, inputs: dict[str, Any]) -> Steps[tuple[str, str]]:
        """The code that ran, and what it gave, as JSON."""
        answer = yield Call(self.code_generate, **inputs)
        tried = 1
        while True:
            code = showing_its_end(python_code(answer.generated_code))
            ran: Ran = Ran(error="No code was written.")
            if code:
                ran = yield running(box, code)
            if ran.error is None:
                result = ran.result.output if isinstance(ran.result, FinalOutput) else ran.result
                return code, shortened(dumps(result), MAX_OUTPUT)
            logger.warning("ProgramOfThought: program %d of %d failed: %s", tried, self.max_iters, ran.error)
            if tried >= self.max_iters:
                raise CodeExecutionError(
                    f"ProgramOfThought: none of {tried} programs ran. The last error: {ran.error}"
                )
            tried += 1
            answer = yield Call(self.code_regenerate, **inputs, previous_code=code, error=ran.error)

    def _signature(self, task: str) -> type[Signature]:
        fields: dict[str, Any] = {name: (f.annotation, f) for name, f in self.input_fields.items()}
        outputs: dict[str, Any] = {name: (f.annotation, f) for name, f in self.output_fields.items()}
        code = {"generated_code": (str, OutputField(desc=_CODE))}
        failed = {
            "previous_code": (str, InputField(desc="the code that failed")),
            "error": (str, InputField(desc="why it failed")),
        }
        ran = {
            "final_generated_code": (str, InputField(desc=_CODE)),
            "code_output": (str, InputField(desc="what the code gave")),
        }
        added = {"generate": code, "regenerate": {**failed, **code}, "answer": {**ran, **outputs}}[task]
        return make_signature({**fields, **added}, self._instructions(task))

    def _instructions(self, task: str) -> str:
        inputs = ", ".join(f"`{name}`" for name in self.input_fields)
        outputs = ", ".join(f"`{name}`" for name in self.output_fields)
        shape = ", ".join(f'"{name}": …' for name in self.output_fields)
        submit = (
            f"End the program with SUBMIT({{{shape}}}), a function that is there already: call it with a "
            f"dict that has the final value of {outputs}."
        )
        if task == "generate":
            return f"From {inputs}, write a Python program that computes {outputs}.\n{submit}"
        if task == "regenerate":
            return (
                f"A Python program was to compute {outputs} from {inputs}, but `previous_code` failed with "
                f"`error`. Write a program that works.\n{submit}"
            )
        return (
            f"{self.signature.instructions}\n\n`final_generated_code` was run for this and gave "
            f"`code_output`. Take {outputs} from there."
        )
