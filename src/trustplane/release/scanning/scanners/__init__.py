"""The scanners and layouts that come with Trustplane."""
