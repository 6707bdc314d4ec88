"""For schemathesis, which loads it by SCHEMATHESIS_HOOKS: no answer may tell what the asker may not know."""

import os

import schemathesis

#: by commas: what no answer may contain
_HIDDEN = [word for word in os.environ.get("CAMPAIGN_HIDDEN", "").split(",") if word]


@schemathesis.check  # type: ignore[untyped-decorator]
def no_leak(_context: object, response: object, case: object) -> None:
    text = getattr(response, "text", "") or ""
    asked = repr(case)
    for word in _HIDDEN:
        if word in text and word not in asked:
            raise AssertionError(f"The answer tells {word}.")
