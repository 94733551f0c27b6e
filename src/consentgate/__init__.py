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
from .core.policy import (
    Banner,
    Category,
    Change,
    ConsentMode,
    Controller,
    Csp,
    Exemption,
    Flow,
    Gpc,
    Pages,
    Policy,
    Profile,
    Regions,
    Rule,
)
from .core.standing import Basis, Signal
from .gate import Gate
from .handler import RequestConsent
from .state import banner, consent_from, embed, head, template_context
from .wrap import wrap

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Banner",
    "Basis",
    "Category",
    "Change",
    "Choice",
    "ConfigError",
    "Consent",
    "ConsentMode",
    "Controller",
    "Csp",
    "Decision",
    "Exemption",
    "Flow",
    "Gate",
    "Gpc",
    "GrantRefused",
    "Pages",
    "Policy",
    "Problem",
    "Profile",
    "Receipt",
    "Regions",
    "RequestConsent",
    "ResponseStarted",
    "Rule",
    "Signal",
    "UnknownCategory",
    "banner",
    "consent_from",
    "embed",
    "head",
    "load_gate",
    "load_policy",
    "template_context",
    "wrap",
]
