"""Mistral's own parser, where Mistral is installed beside this package."""

from importlib.util import find_spec

from tripleo_update_plugin.errors import BadPlan


def is_installed() -> bool:
    """Whether definitions can be checked without asking a server."""
    return find_spec("mistral") is not None


def validate(definition: str) -> None:
    """Raise BadPlan, in the parser's words, unless *definition* is a workbook."""
    import mistral.cmd  # noqa: F401  the threading backend must be chosen before anything else of Mistral is loaded
    from mistral.exceptions import MistralException
    from mistral.lang import parser

    try:
        parser.get_workbook_spec_from_yaml(definition, validate=True)
    except MistralException as error:
        raise BadPlan(f"Mistral refuses the workbook: {error}") from error
