"""What is asked, and what evidence answers. Each stage brings its own controls; here is what a control is and how one is evaluated."""
