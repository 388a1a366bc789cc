"""The five kinds of error that cross a front door. Packages derive their own from a kind and carry data, not text."""


class TingjianError(Exception):
    """Any error that the program raises on purpose."""

    status: int = 500


class InvalidInputError(TingjianError):
    """What was given cannot be used; nothing was changed."""

    status = 400


class PermissionDeniedError(TingjianError):
    """The actor may not do this."""

    status = 403


class NotFoundError(TingjianError):
    """The thing that was named does not exist."""

    status = 404


class ConflictError(TingjianError):
    """The thing exists in a state that does not allow this."""

    status = 409


class UnavailableError(TingjianError):
    """An outside part does not answer; the same request may succeed later. The only kind that is retried."""

    status = 503
