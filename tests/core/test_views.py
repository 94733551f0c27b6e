"""What the gate's pages show, as data."""

from __future__ import annotations

from consentgate.core.views import (
    BannerView,
    ChoicesView,
    DeclarationView,
    NoticeView,
    OptOutView,
)


def test_each_view_names_the_template_that_shows_it() -> None:
    """A site that has a template of its own gives it that name."""
    views = (BannerView, ChoicesView, OptOutView, DeclarationView, NoticeView)
    assert [view.template for view in views] == [
        "banner.html",
        "preferences.html",
        "opt_out.html",
        "declaration.html",
        "notice.html",
    ]
