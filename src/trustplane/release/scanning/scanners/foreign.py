"""Files that are known and never pass: what they hold runs, or can be judged by their own reader alone."""

from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rule, ScannerDescriptor

_MARKS: tuple[tuple[bytes, str, str], ...] = (
    (b"RDX2\n", "r", "an R workspace: its promises and closures are code"),
    (b"RDX3\n", "r", "an R workspace: its promises and closures are code"),
    (b"RDA2\n", "r", "an R workspace: its promises and closures are code"),
    (b"RDA3\n", "r", "an R workspace: its promises and closures are code"),
    (b"X\n\x00\x00\x00\x02", "r", "an R object: its promises and closures are code"),
    (b"X\n\x00\x00\x00\x03", "r", "an R object: its promises and closures are code"),
    (b"A\n2\n", "r", "an R object: its promises and closures are code"),
    (b"A\n3\n", "r", "an R object: its promises and closures are code"),
    (b"\x7fELF", "program", "a program"),
    (b"MZ", "program", "a program"),
    (b"\xcf\xfa\xed\xfe", "program", "a program"),
    (b"\xca\xfe\xba\xbe", "program", "a program or Java class"),
    (b"#!", "script", "a script"),
    (b"\xac\xed\x00\x05", "java", "serialised Java objects"),
    (b"\xa7\x0d\x0d\x0a", "bytecode", "compiled Python"),
)


class Foreign:
    """Refuses by the first bytes."""

    descriptor = ScannerDescriptor("foreign", "programs and objects of other languages")

    def recognises(self, head: bytes, size: int) -> bool:
        """By their marks."""
        return any(head.startswith(mark) for mark, _, _ in _MARKS)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Refuse."""
        head = content.read(16)
        kind, words = next((kind, words) for mark, kind, words in _MARKS if head.startswith(mark))
        return Judgement(kind, (Objection(Rule.HOLDS_CODE, f"it is {words}"),), loads_code=True)
