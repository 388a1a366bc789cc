"""The link in a text message: a survey's id under a signature, short enough for one message.

Whether it still opens, the survey says.
"""

import base64
import binascii
import uuid

from itsdangerous import BadSignature, Signer

_SALT = "survey-link"


class Links:
    """Makes and reads link tokens with the site's secret key."""

    def __init__(self, secret_key: str) -> None:
        self._signer = Signer(secret_key, salt=_SALT, key_derivation="hmac")

    def token(self, survey_id: uuid.UUID) -> str:
        """Return the token of a survey: 50 characters."""
        return self._signer.sign(base64.urlsafe_b64encode(survey_id.bytes).rstrip(b"=")).decode("ascii")

    def survey_id(self, token: str) -> uuid.UUID | None:
        """Return which survey a token is for; None when we never made it."""
        try:
            raw = self._signer.unsign(token.encode("ascii"))
            return uuid.UUID(bytes=base64.urlsafe_b64decode(raw + b"=="))
        except (BadSignature, UnicodeEncodeError, binascii.Error, ValueError):
            return None
