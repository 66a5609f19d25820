//! A web server on the loopback whose answers a test controls.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A client's request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request line, for example `GET /tiny.pth`.
    pub line: String,
    /// The N of `Range: bytes=N-` or `bytes=N-M`.
    pub range: Option<usize>,
}

/// A server that runs until it is dropped.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request with the bytes that `answer` returns, then closes the connection.
    pub fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (log, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                let Some(request) = read_request(&mut stream) else { continue };
                log.lock().unwrap().push(request.clone());
                // The client may close the connection first, as it does when cancelled.
                let _ = stream.write_all(&answer(&request));
                let _ = stream.shutdown(Shutdown::Write);
            }
        });
        Self { url: format!("http://{address}"), asked, stop, thread: Some(thread) }
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next()?.rsplit_once(' ')?.0.to_owned();
    let range = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned))
        .and_then(|range| range.split('-').next()?.parse().ok());
    Some(Request { line, range })
}

/// Returns a response with these header lines, each ending in `\r\n`.
pub fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// Returns the whole file, or the part from the offset that the client requests.
pub fn send(file: &[u8], request: &Request) -> Vec<u8> {
    send_cut(file, request, file.len())
}

/// Like [`send`], but the connection breaks before byte `end`.
pub fn send_cut(file: &[u8], request: &Request, end: usize) -> Vec<u8> {
    let size = file.len();
    match request.range {
        Some(start) if start >= size => response(
            "416 Range Not Satisfiable",
            &format!("Content-Range: bytes */{size}\r\nContent-Length: 0\r\n"),
            b"",
        ),
        Some(start) => {
            let length = size - start;
            let headers = format!("Content-Length: {length}\r\nContent-Range: bytes {start}-{}/{size}\r\n", size - 1);
            response("206 Partial Content", &headers, &file[start..end.max(start)])
        }
        None => response("200 OK", &format!("Content-Length: {size}\r\n"), &file[..end]),
    }
}
