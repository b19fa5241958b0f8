"""What a row of the table is made of: its step, its guards, what they see, what it asks, by when."""
