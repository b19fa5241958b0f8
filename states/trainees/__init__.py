"""The trainees: whom the centre retains, where they live, who leaves."""
