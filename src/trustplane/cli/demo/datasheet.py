"""What the demo's data steward says of the credit table; the facts are those of its publication (UCI data set 350)."""

DATASHEET = {
    "collection": "Records of a bank in Taiwan about its credit-card clients, published by I-Cheng Yeh; names, addresses and numbers beside them are made by a seeded generator.",
    "timeframe": "April to September 2005; the default is that of October 2005.",
    "preprocessing": "None beyond the publication; codes of EDUCATION and MARRIAGE that its description does not explain are left as they are.",
    "labels": "Whether the client defaulted on the payment of the next month, as the bank recorded it.",
    "use_cases": "Showing and testing how a model of default risk is governed. Not for decisions about real people.",
    "biases": "Clients of one bank in one country in 2005; hardly anybody below 22 or above 60.",
    "limitations": "Half a year of one economy, with a debt crisis of credit cards in it; no income, no reason for a default.",
    "social_impact": "A model of it may refuse credit to groups by age, sex or marriage; fairness is measured before release.",
    "maintenance": "None: it is a historical table.",
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "citation": "Yeh, I-C. and Lien, C. (2009). The comparisons of data mining techniques for the predictive accuracy of probability of default of credit card clients. Expert Systems with Applications 36(2).",
}  # fmt: skip
