"""What everything is made of: fields, amounts, dates, calendars, French, the law in figures."""
