"""For Django's templates: `{% load consentgate %}`, and in the body, early, `{% banner %}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from ..state import consent_from

register = template.Library()


@register.simple_tag(takes_context=True)  # type: ignore[untyped-decorator]  # Django has no types
def banner(
    context: Mapping[str, Any], language: str = "", *, inline: bool = False, nonce: str = ""
) -> SafeString:
    """Return the banner, where there is something to ask, and the script that goes with it."""
    html = consent_from(context.get("request")).banner(language, inline=inline, nonce=nonce)
    return mark_safe(html)
