"""The exercises of the course as presets, one per thing to be seen; a file a tab, the words in the locales."""
