"""What the wire tests share: both servers as processes, clients that do harm, and two judges (h11, httptools)."""
