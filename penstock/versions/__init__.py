"""What other software's versions have, take and read: tables with dates and sources, and pure functions over them."""
