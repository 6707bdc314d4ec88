"""Which warnings are errors on this installation."""

from cabestan.compose.rules import check_strict
from cabestan.config import Settings
from cabestan.errors import ConfigurationError, Invalid


def check(settings: Settings) -> None:
    """Raises ConfigurationError for a rule that there is not, that is an error anyway, or that is of other files."""
    try:
        check_strict(settings.strict_rule_codes)
    except Invalid as error:
        raise ConfigurationError(f"strict_rules: {error.message}", f"Correct the setting. {error.remedy}") from error
