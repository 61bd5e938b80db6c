//! Formulas as letters that any font can show: `\frac{a}{b}` becomes `a⁄b`, `x^2` becomes `x²`.

/// Names and signs, as LaTeX has them.
const SIGNS: [(&str, &str); 96] = [
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("varepsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("iota", "ι"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("upsilon", "υ"),
    ("phi", "φ"),
    ("varphi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Xi", "Ξ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
    ("cdot", "·"),
    ("times", "×"),
    ("div", "÷"),
    ("pm", "±"),
    ("mp", "∓"),
    ("leq", "≤"),
    ("le", "≤"),
    ("geq", "≥"),
    ("ge", "≥"),
    ("neq", "≠"),
    ("ne", "≠"),
    ("approx", "≈"),
    ("equiv", "≡"),
    ("sim", "∼"),
    ("propto", "∝"),
    ("infty", "∞"),
    ("sum", "∑"),
    ("prod", "∏"),
    ("int", "∫"),
    ("partial", "∂"),
    ("nabla", "∇"),
    ("forall", "∀"),
    ("exists", "∃"),
    ("in", "∈"),
    ("notin", "∉"),
    ("subset", "⊂"),
    ("subseteq", "⊆"),
    ("cup", "∪"),
    ("cap", "∩"),
    ("emptyset", "∅"),
    ("to", "→"),
    ("rightarrow", "→"),
    ("leftarrow", "←"),
    ("Rightarrow", "⇒"),
    ("implies", "⇒"),
    ("iff", "⇔"),
    ("leftrightarrow", "↔"),
    ("mapsto", "↦"),
    ("ldots", "…"),
    ("dots", "…"),
    ("cdots", "⋯"),
    ("quad", "  "),
    ("qquad", "    "),
    ("circ", "∘"),
    ("degree", "°"),
    ("angle", "∠"),
    ("perp", "⊥"),
    ("parallel", "∥"),
    ("langle", "⟨"),
    ("rangle", "⟩"),
    ("lfloor", "⌊"),
    ("rfloor", "⌋"),
    ("lceil", "⌈"),
    ("rceil", "⌉"),
    ("top", "⊤"),
    ("land", "∧"),
    ("lor", "∨"),
    ("neg", "¬"),
    ("odot", "⊙"),
    ("otimes", "⊗"),
    ("oplus", "⊕"),
];

/// Commands that only say how something looks.
const LOOKS: [&str; 22] = [
    "left",
    "right",
    "text",
    "mathrm",
    "mathbf",
    "mathit",
    "mathcal",
    "mathsf",
    "operatorname",
    "displaystyle",
    "textstyle",
    "big",
    "Big",
    "bigg",
    "Bigg",
    "limits",
    "boxed",
    "textbf",
    "textit",
    "mathop",
    "bm",
    "boldsymbol",
];

const RAISED: [(char, char); 22] = [
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('+', '⁺'),
    ('-', '⁻'),
    ('=', '⁼'),
    ('(', '⁽'),
    (')', '⁾'),
    ('n', 'ⁿ'),
    ('i', 'ⁱ'),
    ('T', 'ᵀ'),
    ('k', 'ᵏ'),
    ('x', 'ˣ'),
    ('t', 'ᵗ'),
    ('j', 'ʲ'),
];

const LOWERED: [(char, char); 26] = [
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('+', '₊'),
    ('-', '₋'),
    ('=', '₌'),
    ('(', '₍'),
    (')', '₎'),
    ('i', 'ᵢ'),
    ('j', 'ⱼ'),
    ('n', 'ₙ'),
    ('k', 'ₖ'),
    ('t', 'ₜ'),
    ('x', 'ₓ'),
    ('m', 'ₘ'),
    ('a', 'ₐ'),
    ('e', 'ₑ'),
    ('o', 'ₒ'),
    ('p', 'ₚ'),
];

/// `\(…\)` and `\[…\]` as dollars, which Markdown knows; not within code.
#[must_use]
pub fn with_dollars(text: &str) -> String {
    let has_any = [r"\(", r"\["].iter().any(|sign| text.contains(sign));
    if !has_any {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for (at, piece) in text.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        // Between two signs of code stands code.
        if at % 2 == 1 {
            out.push_str(piece);
            continue;
        }
        let piece = piece.replace(r"\( ", r"\(").replace(r" \)", r"\)");
        let piece = piece.replace(r"\(", "$").replace(r"\)", "$");
        out.push_str(&piece.replace(r"\[", "$$").replace(r"\]", "$$"));
    }
    out
}

/// A formula in letters and signs.
#[must_use]
pub fn readable(formula: &str) -> String {
    let mut reader = Reader {
        rest: formula.trim(),
        depth: 0,
    };
    let text = reader.until(None);
    let words: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    words.join("\n").trim().to_owned()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    /// Reads up to `end`, or to the end of the text.
    fn until(&mut self, end: Option<char>) -> String {
        /// Deeper ones are shown as they are.
        const DEEPEST: usize = 40;
        let mut out = String::new();
        self.depth += 1;
        while let Some(letter) = self.next() {
            if Some(letter) == end {
                break;
            }
            match letter {
                _ if self.depth > DEEPEST => out.push(letter),
                '\\' => self.command(&mut out),
                '{' => out.push_str(&self.until(Some('}'))),
                '^' => out.push_str(&shifted(&self.group(), &RAISED, '^')),
                '_' => out.push_str(&shifted(&self.group(), &LOWERED, '_')),
                '&' => out.push(' '),
                '~' => out.push(' '),
                '\'' => out.push('′'),
                letter => out.push(letter),
            }
        }
        self.depth -= 1;
        out
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = self.rest.get(letter.len_utf8()..).unwrap_or_default();
        Some(letter)
    }

    /// What a command or a sign is about: a group in braces, or the next sign.
    fn group(&mut self) -> String {
        self.rest = self.rest.trim_start();
        match self.next() {
            Some('{') => self.until(Some('}')),
            Some('\\') => {
                let mut out = String::new();
                self.command(&mut out);
                out
            }
            Some(letter) => letter.to_string(),
            None => String::new(),
        }
    }

    fn command(&mut self, out: &mut String) {
        let is_letter = |letter: char| letter.is_ascii_alphabetic();
        let end = self
            .rest
            .find(|letter| !is_letter(letter))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end).unwrap_or(("", self.rest));
        self.rest = rest;
        match name {
            "" => match self.next() {
                Some('\\') => out.push('\n'),
                Some(',' | ';' | ':' | ' ' | '!') => out.push(' '),
                Some(letter) => out.push(letter),
                None => {}
            },
            "frac" | "dfrac" | "tfrac" => {
                let (above, below) = (self.group(), self.group());
                out.push_str(&format!("{}/{}", bracketed(&above), bracketed(&below)));
            }
            "sqrt" => {
                let inner = self.group();
                out.push_str(&format!("√{}", bracketed(&inner)));
            }
            "mathbb" => out.push_str(&self.group().chars().map(double).collect::<String>()),
            "hat" | "bar" | "vec" | "tilde" => {
                let mark = match name {
                    "hat" => '\u{302}',
                    "bar" => '\u{304}',
                    "vec" => '\u{20d7}',
                    _ => '\u{303}',
                };
                out.push_str(&self.group());
                out.push(mark);
            }
            "begin" | "end" => {
                self.group();
            }
            name if LOOKS.contains(&name) => {}
            name => {
                let sign = SIGNS.iter().find(|(known, _)| *known == name);
                out.push_str(sign.map_or(name, |(_, sign)| sign));
            }
        }
    }
}

/// In brackets, unless it is one thing.
fn bracketed(text: &str) -> String {
    let text = text.trim();
    match text.chars().count() < 2 || text.chars().all(char::is_alphanumeric) {
        true => text.to_owned(),
        false => format!("({text})"),
    }
}

/// Raised or lowered letters; with the sign before it where there are none.
fn shifted(text: &str, letters: &[(char, char)], sign: char) -> String {
    let find = |wanted: char| letters.iter().find(|(plain, _)| *plain == wanted);
    let found: Option<String> = text.chars().map(|letter| Some(find(letter)?.1)).collect();
    found.unwrap_or_else(|| match text.chars().count() {
        0 | 1 => format!("{sign}{text}"),
        _ => format!("{sign}({text})"),
    })
}

fn double(letter: char) -> char {
    match letter {
        'R' => 'ℝ',
        'N' => 'ℕ',
        'Z' => 'ℤ',
        'Q' => 'ℚ',
        'C' => 'ℂ',
        'E' => '𝔼',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_letters() {
        for (formula, expected) in [
            (r"\frac{a}{b}", "a/b"),
            (r"\frac{q \cdot k}{\sqrt{d_k}}", "(q · k)/(√dₖ)"),
            (r"x^2 + y_{10}", "x² + y₁₀"),
            (r"e^{i\pi} = -1", "e^(iπ) = -1"),
            (r"\sum_{i=1}^{n} x_i \leq \infty", "∑ᵢ₌₁ⁿ xᵢ ≤ ∞"),
            (
                r"\text{softmax}\left(\frac{QK^T}{2}\right) \in \mathbb{R}",
                "softmax(QKᵀ/2) ∈ ℝ",
            ),
            (r"a \\ b", "a\n b"),
            (r"\unknown{x}", "unknownx"),
        ] {
            assert_eq!(readable(formula), expected, "{formula}");
        }
        let deep = "{".repeat(5_000);
        assert!(readable(&deep).len() <= deep.len());
    }

    #[test]
    fn brackets_become_dollars_but_not_in_code() {
        assert_eq!(with_dollars(r"\(a\) and `\(b\)`"), r"$a$ and `\(b\)`");
        assert_eq!(with_dollars(r"\[ x \]"), "$$ x $$");
    }
}
