"""An adapter of one's own, whose messages are all there is; and a change of the chat adapter."""

import os
import re

import dspy


class LabelAdapter(dspy.Adapter):
    """`Label: value` lines, both ways."""

    def format_field_description(self, signature):
        return "Fields: " + ", ".join([*signature.input_fields, *signature.output_fields])

    def format_field_structure(self, signature):
        return "Write each field on a line of its own, after its name and a colon."

    def format_task_description(self, signature):
        return "Task: " + signature.instructions

    def format_user_message_content(self, signature, inputs, prefix="", suffix="", main_request=False):
        lines = [f"{name}: {inputs[name]}" for name in signature.input_fields if name in inputs]
        return "\n".join([prefix, *lines, suffix]).strip()

    def format_assistant_message_content(self, signature, outputs, missing_field_message=None):
        return "\n".join(
            f"{name}: {outputs.get(name, missing_field_message)}" for name in signature.output_fields
        )

    def parse(self, signature, completion):
        return {
            name: re.search(rf"^{name}: (.*)$", completion, re.M).group(1) for name in signature.output_fields
        }


class Polite(dspy.ChatAdapter):
    def format_task_description(self, signature):
        return super().format_task_description(signature) + "\nBe polite."

    def format_user_message_content(self, signature, inputs, prefix="", suffix="", main_request=False):
        return super().format_user_message_content(
            signature, inputs, prefix="Please:", main_request=main_request
        )


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
translate = dspy.Predict(dspy.Signature("english -> gaelic, literal", "Translate from English."))
translate.demos = [
    dspy.Example(english="Good morning", gaelic="Madainn mhath", literal="morning good"),
    dspy.Example(english="Welcome", gaelic="Fàilte"),
]
for adapter in (LabelAdapter(), Polite()):
    dspy.configure(adapter=adapter)
    result = translate(english="Thank you")
    print(result.gaelic, "|", result.literal)
