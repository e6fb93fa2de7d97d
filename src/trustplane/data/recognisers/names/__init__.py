"""Names of people, places, organisations and groups, and dates, in running text: a small linear-chain model."""
