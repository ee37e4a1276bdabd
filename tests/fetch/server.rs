//! A server on this machine that answers as a test says, and counts how often it is asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What is answered.
pub(super) enum Answer {
    Content(String),
    Redirect(String),
    Missing,
}

/// What a path is answered with.
type Answers = fn(&str) -> Answer;

/// A server that answers until it is dropped.
pub(super) struct Server {
    port: u16,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<AtomicUsize>,
    has_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn new(answers: Answers) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("some port is free");
        let answers = Arc::new(Mutex::new(answers));
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let has_ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (asked, has_ended) = (Arc::clone(&asked), Arc::clone(&has_ended));
            let answers = Arc::clone(&answers);
            move || {
                for connection in listener.incoming().flatten() {
                    if has_ended.load(Ordering::SeqCst) {
                        return;
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    // A client that has gone away needs no answer.
                    let answer = *answers.lock().expect("nobody panics while it is locked");
                    let _ = serve(connection, answer);
                }
            }
        });
        Self { port, answers, asked, has_ended, thread: Some(thread) }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on it answers differently.
    pub(super) fn change(&self, answers: Answers) {
        *self.answers.lock().expect("nobody panics while it is locked") = answers;
    }

    /// How many connections there were.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::SeqCst);
        // The thread looks up when it is asked once more.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(connection: TcpStream, answer: Answers) -> std::io::Result<()> {
    let mut lines = BufReader::new(&connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, header, body) = match answer(path) {
        Answer::Content(body) => ("200 OK", String::new(), body),
        Answer::Redirect(url) => ("302 Found", format!("Location: {url}\r\n"), String::new()),
        Answer::Missing => ("404 Not Found", String::new(), String::new()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    (&connection).write_all(head.as_bytes())?;
    (&connection).write_all(body.as_bytes())
}
