// A connection to the server, plain or over TLS. Reads and writes give how many bytes, 0 at the end, or WAIT.
#pragma once
#include "common.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

enum { WAIT = -1, SOURCE_ADDRESSES = 32, READ_BYTES = 1 << 20, RECORD_BYTES = 1 << 14 };

typedef struct {
  int fd;
#ifdef WITH_TLS
  SSL *tls;
#endif
} stream;

static inline void allow_open_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A socket that connects, from a loopback address that changes: one address alone has too few ports for churn.
static inline int open_socket(int port, int nonblocking) {
  static unsigned turn;
  const int one = 1;
  const int fd = socket(AF_INET, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + turn++ % SOURCE_ADDRESSES);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&from, sizeof from)) fail("bind: %s", strerror(errno));
  if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
  return fd;
}

#ifdef WITH_TLS
static inline SSL *open_tls(int fd) {
  static SSL_CTX *context;
  if (context == NULL) {
    context = SSL_CTX_new(TLS_client_method());
    // One system call for a record instead of two.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  SSL *tls = SSL_new(context);
  SSL_set_fd(tls, fd);
  if (SSL_connect(tls) != 1) fail("the TLS handshake failed");
  return tls;
}
#endif

// Connects and waits for it.
static inline stream open_stream(int port, int secure) {
  const struct timeval timeout = {.tv_sec = HANDSHAKE_SECONDS};
  stream s = {.fd = open_socket(port, 0)};
  setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
#ifdef WITH_TLS
  if (secure) s.tls = open_tls(s.fd);
#else
  if (secure) fail("this load was built without TLS");
#endif
  return s;
}

static inline ssize_t stream_read(stream *s, void *buffer, size_t size) {
#ifdef WITH_TLS
  if (s->tls != NULL) {
    const int n = SSL_read(s->tls, buffer, (int)size);
    if (n > 0) return n;
    const int reason = SSL_get_error(s->tls, n);
    if (reason == SSL_ERROR_WANT_READ) return WAIT;
    if (reason == SSL_ERROR_ZERO_RETURN) return 0;
    fail("TLS read: error %d", reason);
  }
#endif
  const ssize_t n = read(s->fd, buffer, size);
  if (n < 0 && errno != EAGAIN) fail("read: %s", strerror(errno));
  return n;
}

// Whether a read that was not full tells that there is no more for now.
static inline int stream_is_empty(const stream *s, size_t got, size_t size) {
#ifdef WITH_TLS
  // A record is read ahead with what follows it; where that may have been a full buffer, another read has to tell.
  if (s->tls != NULL) return got < RECORD_BYTES / 4 && !SSL_has_pending(s->tls);
#endif
  return s->fd >= 0 && got < size;
}

static inline ssize_t stream_write(stream *s, const void *bytes, size_t size) {
#ifdef WITH_TLS
  if (s->tls != NULL) {
    const int n = SSL_write(s->tls, bytes, (int)size);
    if (n > 0) return n;
    const int reason = SSL_get_error(s->tls, n);
    if (reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ) return WAIT;
    fail("TLS write: error %d", reason);
  }
#endif
  const ssize_t n = send(s->fd, bytes, size, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) fail("write: %s", strerror(errno));
  return n;
}

// RFC 6455 section 4.1: sends the request, which has the RFC's own key, and expects its answer.
static inline void upgrade(stream *s, const char *request) {
  char text[4096];
  size_t got = 0;
  const ssize_t length = (ssize_t)strlen(request);
  if (stream_write(s, request, (size_t)length) != length) fail("handshake: %s", strerror(errno));
  do {
    const ssize_t n = stream_read(s, text + got, sizeof text - 1 - got);
    if (n <= 0) fail("handshake: no whole answer");
    got += (size_t)n;
    text[got] = 0;
  } while (strstr(text, "\r\n\r\n") == NULL);
  if (strncmp(text, "HTTP/1.1 101", 12)) fail("handshake: expected 101, got %.*s", (int)strcspn(text, "\r\n"), text);
  if (strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL) fail("handshake: wrong Sec-WebSocket-Accept");
}

static inline void set_nonblocking(stream *s) { fcntl(s->fd, F_SETFL, O_NONBLOCK); }
