"""Tables of the page, as values: `eegvit.report.templates` has their markup."""
