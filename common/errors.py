"""What a person is told when a task cannot do what it was asked for."""

from __future__ import annotations


class UserError(Exception):
    """A sentence for the person: what is wrong, where, and what to do about it."""

    for_people = True
