"""The example of phishing URLs: real rows, and what somebody who puts up a phishing page can change of one."""
