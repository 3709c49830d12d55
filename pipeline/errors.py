"""The error that a user can mend, which every module may raise.

It names the file, the place in it and the remedy, and ends a command with exit code 2 and no
traceback (`pipeline/ending.py`); anything else is a defect of this project and keeps its traceback.
"""

import re


class UserError(Exception):
    """Something outside the code is wrong: a parameter, a corpus file, an address, a checkpoint.

    Messages quote addresses and what libraries say of them: whatever they hide is left out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))


# Up to the last @, since a password that should have been encoded may hold / : and @ itself.
_PASSWORD = re.compile(r"(?P<before>[\w+.-]+://[^\s/:@'\"]*:)[^\s'\"]*@")
_WEB_USER = re.compile(r"(?P<before>\bhttps?://)[^\s/:@'\"]+@")  # a token stands for a user there
_PARAMETER = re.compile(
    r"(?P<before>[?&;][\w.-]*(?:token|passw|pwd|secret|signature|sig|key|credential|auth)[\w.-]*=)"
    r"[^&;#\s'\"]+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """A text that may be shown: passwords and tokens in the addresses that it holds are hidden."""
    text = _PASSWORD.sub(r"\g<before>***@", text)
    text = _WEB_USER.sub(r"\g<before>***@", text)
    return _PARAMETER.sub(r"\g<before>***", text)
