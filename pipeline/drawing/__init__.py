"""How every picture looks: colours, fonts, sizes, titles, legends, and the one way to write one."""
