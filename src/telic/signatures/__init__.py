"""Signatures: fields, the string grammar, immutable edits, state, validation of values."""

from telic.signatures.field import MISSING, Field, InputField, OutputField, infer_prefix
from telic.signatures.inputs import check_inputs
from telic.signatures.make import ensure_signature, make_signature
from telic.signatures.meta import SignatureMeta
from telic.signatures.signature import Signature
from telic.signatures.typenames import type_name

__all__ = [
    "MISSING",
    "Field",
    "InputField",
    "OutputField",
    "Signature",
    "SignatureMeta",
    "check_inputs",
    "ensure_signature",
    "infer_prefix",
    "make_signature",
    "type_name",
]
