// TLS 1.2 and 1.3 (OpenSSL) around any Stream. A TlsContext holds certificates and what to demand
// of the peer; TlsAccept and TlsConnect do the handshake and give a Stream that is used like any
// other.
//
// A context may be shared by the streams of one thread and is kept alive by them. Streams: one
// thread. An end of the inner stream without TLS's own end (close_notify) is reported as kReset: a
// body that was cut off by somebody in between must not look whole.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

struct ssl_ctx_st;

namespace meridian::io {

enum class PeerCertificate : uint8_t {
  kIgnored,   // servers: not asked for. Clients: the server is not verified (only for probes of
              // oneself)
  kOptional,  // verified when the peer has one
  kRequired,  // the handshake fails without a valid one
};

struct TlsOptions {
  // PEM files: our certificate with its chain, and its key. Empty: none (clients only).
  std::string certificate_path;
  std::string key_path;
  // PEM file of the authorities that the peer's certificate must come from. Empty: the system's.
  std::string authorities_path;
  PeerCertificate peer = PeerCertificate::kIgnored;
};

class TlsContext {
 public:
  // Errors name the file that could not be used.
  static Result<std::shared_ptr<TlsContext>> ForServer(const TlsOptions& options);
  static Result<std::shared_ptr<TlsContext>> ForClient(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* native() const { return native_; }

 private:
  explicit TlsContext(ssl_ctx_st* native) : native_(native) {}
  static Result<std::shared_ptr<TlsContext>> Make(ssl_ctx_st* native, const TlsOptions& options);
  ssl_ctx_st* native_;
};

// A stream that speaks TLS to `peer_names()`.
class TlsConnection : public Stream {
 public:
  // The DNS names in the peer's verified certificate; empty when it showed none.
  virtual std::vector<std::string> peer_names() const = 0;
};

// Whether the peer begins with a TLS handshake, for a port that speaks both: waits for the first
// byte and leaves it.
Task<Result<bool>> BeginsTls(Stream& stream, TimePoint deadline);

// The server's side of the handshake. kInvalid with OpenSSL's reason when it fails.
Task<Result<std::unique_ptr<TlsConnection>>> TlsAccept(std::shared_ptr<TlsContext> context,
                                                       std::unique_ptr<Stream> stream,
                                                       TimePoint deadline);
// The client's side. `name` is sent as SNI (when it is no address) and the certificate must be for
// it, unless the context ignores certificates.
Task<Result<std::unique_ptr<TlsConnection>>> TlsConnect(std::shared_ptr<TlsContext> context,
                                                        std::unique_ptr<Stream> stream,
                                                        std::string name, TimePoint deadline);

}  // namespace meridian::io
