"""For Django's templates: `{% load consentgate %}`, then `{% gate_head %}` and `{% banner %}`.

The one first in the head, the other early in the body. `{% embed "marketing" url "Our film" %}` is
third parties' content, where its category is allowed.
"""

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


@register.simple_tag(takes_context=True)  # type: ignore[untyped-decorator]  # Django has no types
def gate_head(context: Mapping[str, Any], *, nonce: str = "") -> SafeString:
    """Return the script that guards what other scripts store: it belongs before all of them."""
    return mark_safe(consent_from(context.get("request")).head(nonce=nonce))


@register.simple_tag(takes_context=True)  # type: ignore[untyped-decorator]  # Django has no types
def embed(
    context: Mapping[str, Any],
    category: str,
    src: str,
    title: str,
    *,
    language: str = "",
    **attributes: object,
) -> SafeString:
    """Return third parties' content as an <iframe>, or what asks for a yes in its place."""
    consent = consent_from(context.get("request"))
    return mark_safe(consent.embed(category, src, title, language=language, **attributes))
