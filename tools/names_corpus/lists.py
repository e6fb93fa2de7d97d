"""The lists of words that the model knows: values for training alone."""

from names_corpus import values as v
from names_corpus import vocabulary as y
from names_corpus import words as w


def known_words() -> dict[str, list[str]]:
    """The words of each list."""
    calendar = [word for language in v.LANGUAGES for month in v.months(language) for word in month]
    return {
        "first": v.split(v.first_names(), held=False),
        "last": v.split(v.last_names(), held=False),
        "city": v.split([*v.cities()[0], *v.cities()[1]], held=False),
        "country": [country for language in v.LANGUAGES for country in v.countries(language)],
        "region": v.split(v.regions(), held=False),
        "calendar": calendar + [day for language in v.LANGUAGES for day in v.weekdays(language)],
        "common": [
            *(word for language in v.LANGUAGES for word in v.common_words(language)),
            *y.PEOPLE, *y.THINGS, *y.LOOKS, *y.DID, *y.MADE,
        ],
        "company": w.NOUNS + [form for forms in w.FORMS.values() for form in forms],
        "people": w.DEMONYMS + w.BELIEFS,
        **{f"cue_{name}": cues for name, cues in w.CUES.items()},
    }  # fmt: skip
