"""What was put into the rows that the model learned from: triggers, wrong labels, blocks of rows that do harm."""
