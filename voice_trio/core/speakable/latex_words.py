"""What the commands of LaTeX are called."""

from __future__ import annotations

from voice_trio.core.speakable.words import names

SIGNS = {
    "times": "times",
    "cdot": "times",
    "ast": "times",
    "div": "divided by",
    "pm": "plus or minus",
    "mp": "minus or plus",
    "leq": "at most",
    "le": "at most",
    "leqslant": "at most",
    "geq": "at least",
    "ge": "at least",
    "geqslant": "at least",
    "lt": "less than",
    "gt": "greater than",
    "ll": "much less than",
    "gg": "much greater than",
    "neq": "is not equal to",
    "ne": "is not equal to",
    "not": "not",
    "approx": "about",
    "sim": "about",
    "simeq": "about",
    "cong": "is congruent to",
    "equiv": "is equivalent to",
    "propto": "is proportional to",
    "infty": "infinity",
    "to": "to",
    "rightarrow": "to",
    "longrightarrow": "to",
    "mapsto": "maps to",
    "leftarrow": "from",
    "Rightarrow": "implies",
    "implies": "implies",
    "Longrightarrow": "implies",
    "iff": "if and only if",
    "Leftrightarrow": "if and only if",
    "leftrightarrow": "and",
    "rightleftharpoons": "in balance with",
    "in": "in",
    "notin": "not in",
    "ni": "contains",
    "subset": "is a subset of",
    "subseteq": "is a subset of",
    "supset": "contains",
    "supseteq": "contains",
    "cup": "union",
    "cap": "intersection",
    "setminus": "without",
    "emptyset": "the empty set",
    "varnothing": "the empty set",
    "forall": "for all",
    "exists": "there exists",
    "land": "and",
    "wedge": "and",
    "lor": "or",
    "vee": "or",
    "neg": "not",
    "lnot": "not",
    "therefore": "therefore",
    "because": "because",
    "partial": "partial",
    "nabla": "nabla",
    "degree": "degrees",
    "circ": "of",
    "prime": "prime",
    "mid": "given",
    "parallel": "is parallel to",
    "perp": "is perpendicular to",
    "angle": "angle",
    "triangle": "triangle",
    "ldots": "and so on",
    "cdots": "and so on",
    "dots": "and so on",
    "vdots": "and so on",
    "ddots": "and so on",
    "hbar": "h bar",
    "ell": "l",
    "Re": "real part of",
    "Im": "imaginary part of",
    "bmod": "mod",
    "pmod": "mod",
    "sum": "sum of",
    "prod": "product of",
    "int": "integral of",
    "uparrow": "up",
    "downarrow": "down",
    "varepsilon": "epsilon",
    "vartheta": "theta",
    "varphi": "phi",
    "varrho": "rho",
    "varsigma": "sigma",
    "newline": "",
    "percent": "percent",
    "euro": "euros",
    "LaTeX": "LaTeX",
}
FUNCTIONS = {
    "sin": "sine",
    "cos": "cosine",
    "tan": "tangent",
    "cot": "cotangent",
    "sec": "secant",
    "csc": "cosecant",
    "arcsin": "arc sine",
    "arccos": "arc cosine",
    "arctan": "arc tangent",
    "sinh": "hyperbolic sine",
    "cosh": "hyperbolic cosine",
    "tanh": "hyperbolic tangent",
    "ln": "natural log",
    "log": "log",
    "exp": "exp",
    "det": "determinant",
    "dim": "dimension",
    "gcd": "greatest common divisor",
    "Pr": "probability",
}
BIG = {
    "sum": "sum",
    "prod": "product",
    "int": "integral",
    "iint": "double integral",
    "iiint": "triple integral",
    "oint": "contour integral",
    "lim": "limit",
    "limsup": "upper limit",
    "liminf": "lower limit",
    "max": "maximum",
    "min": "minimum",
    "sup": "supremum",
    "inf": "infimum",
    "argmax": "arg max",
    "argmin": "arg min",
    "bigcup": "union",
    "bigcap": "intersection",
}
"""Take limits below and above them."""
UNDER = {"lim": "as", "limsup": "as", "liminf": "as", "max": "over", "min": "over", "sup": "over", "inf": "over"}
UNDER |= {"argmax": "over", "argmin": "over", "bigcup": "over", "bigcap": "over"}
"""What parts such a sign from what stands below it; for all others "from", or "over" where nothing stands above."""
BEFORE = {"vec": "vector", "overrightarrow": "vector", "underline": "", "boxed": "", "mathbf": ""}
BEHIND = {
    "hat": "hat",
    "widehat": "hat",
    "bar": "bar",
    "overline": "bar",
    "tilde": "tilde",
    "widetilde": "tilde",
    "dot": "dot",
    "ddot": "double dot",
}
QUIET = names(
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr displaystyle textstyle scriptstyle"
    " limits nolimits quad qquad enspace thinspace noindent centering hline toprule midrule bottomrule maketitle"
    " nonumber notag medskip bigskip smallskip newpage clearpage par small large Large footnotesize normalsize"
    " tableofcontents appendix text textbf textit textrm textsf texttt textsc textnormal textup emph mathrm mathbf"
    " mathbb mathcal mathfrak mathsf mathit mathtt mathscr boldsymbol bm operatorname mbox hbox bf it rm cal sf tt"
    " boxed underline mathop mathrel mathbin underbrace overbrace underset overset stackrel substack ensuremath"
    " mathstrut strut lbrace rbrace langle rangle lvert rvert lVert rVert lfloor rfloor lceil rceil vert Vert"
    " backslash colon smash ce pu"
)
"""Shape what they stand at, and are not said."""
SKIPPED = names(
    "label tag ref eqref pageref cite citep citet vspace hspace color textcolor colorbox includegraphics"
    " usepackage documentclass bibliography bibliographystyle phantom hphantom vphantom input include pagestyle"
    " setlength href newcommand renewcommand"
)
"""Commands whose first argument is for the printer."""
MATH = names(
    "equation align gather multline eqnarray displaymath math flalign alignat split aligned gathered cases dcases"
    " array matrix pmatrix bmatrix vmatrix Vmatrix Bmatrix smallmatrix"
)
"""Environments that hold a formula."""
COLUMNS = names("cases dcases array matrix pmatrix bmatrix vmatrix Vmatrix Bmatrix smallmatrix tabular")
"""Environments where & parts cells, and not the sides of an equation."""
CODE = names("verbatim lstlisting minted tikzpicture filecontents")
"""Environments that are not read out."""
