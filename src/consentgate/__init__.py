"""consentgate: an ASGI/WSGI gate that makes a published cookie policy true.

from consentgate import wrap
app = wrap(app, "consentgate.toml")
"""

from .config import ConfigError, Problem, load_gate, load_policy
from .core.consent import (
    Choice,
    Consent,
    GrantRefused,
    Receipt,
    ResponseStarted,
    UnknownCategory,
)
from .core.decision import Action, Decision
from .core.gate import Gate
from .core.policy import Category, Policy, Rule
from .handler import RequestConsent
from .state import consent_from
from .wrap import wrap

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Category",
    "Choice",
    "ConfigError",
    "Consent",
    "Decision",
    "Gate",
    "GrantRefused",
    "Policy",
    "Problem",
    "Receipt",
    "RequestConsent",
    "ResponseStarted",
    "Rule",
    "UnknownCategory",
    "consent_from",
    "load_gate",
    "load_policy",
    "wrap",
]
