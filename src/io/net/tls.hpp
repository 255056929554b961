// TLS 1.2 and 1.3 (OpenSSL) around any Stream. A TlsContext holds the certificates and the
// requirements for the peer's certificate; TlsAccept and TlsConnect do the handshake and give a
// Stream.
//
// A context may be shared by the streams of one thread and is kept alive by them. Streams: one
// thread. If the inner stream ends without TLS's own end (close_notify), reads fail with kReset, so
// that a body cut off by a third party does not look whole.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace meridian::io {

enum class PeerCertificate : uint8_t {
  kIgnored,   // servers: not requested. Clients: not verified (only for probes of this process)
  kOptional,  // verified when the peer sends a certificate
  kRequired,  // the handshake fails without a valid certificate
};

struct TlsOptions {
  // PEM files of our certificate with its chain, and of its key. Empty: no certificate (clients
  // only).
  std::string certificate_path;
  std::string key_path;
  // PEM file of the authorities that must have signed the peer's certificate. Empty: the system's
  // authorities.
  std::string authorities_path;
  PeerCertificate peer = PeerCertificate::kIgnored;
  // Servers: accept only peers whose certificate has one of these names. Empty: accept every
  // certificate of the authorities.
  std::vector<std::string> accepted_names = {};
};

// The minimum time between two checks for a replaced certificate file.
constexpr Duration kCertificateFreshness = std::chrono::seconds{30};

// The certificates of one side. Reloads a replaced certificate file while the process runs; later
// connections use the new certificate.
class TlsContext {
 public:
  // Errors name the file that cannot be used.
  static Result<std::shared_ptr<TlsContext>> ForServer(const TlsOptions& options);
  static Result<std::shared_ptr<TlsContext>> ForClient(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Servers: uses the certificate of `other`, a server's context, for clients whose SNI is a name
  // in it. If several match, the first one added. All other settings are this context's.
  void AddForNames(std::shared_ptr<TlsContext> other);

  // Servers: the keys of session tickets, for the contexts of other loops that serve the same
  // visitors: with UseTicketKeys a client resumes its session at any of them.
  std::string TicketKeys() const;
  // Uses `keys` for this context's tickets, and keeps them when the certificate is replaced.
  void UseTicketKeys(const std::string& keys);

  // Reloads the files if the certificate file changed; keeps the present certificate if they cannot
  // be used. Called before each handshake; checks once per kCertificateFreshness.
  void Refresh(TimePoint now);

  ssl_ctx_st* native() const { return native_; }
  // Checks that a peer with these names in its verified certificate is accepted.
  Result<void> Admits(const std::vector<std::string>& peer_names) const;

 private:
  enum class Side : uint8_t { kServer, kClient };
  // Identifies the file at a path, and its modification time.
  using FileStamp = std::array<int64_t, 3>;

  TlsContext(TlsOptions options, Side side) : options_(std::move(options)), side_(side) {}
  static Result<std::shared_ptr<TlsContext>> Make(const TlsOptions& options, Side side);
  Result<void> Read();
  FileStamp CertificateStamp() const;
  static int ChooseByName(ssl_st* connection, int* alert, void* context);
  bool HasName(const char* name) const;

  TlsOptions options_;
  Side side_;
  ssl_ctx_st* native_ = nullptr;
  std::string ticket_keys_;  // empty: OpenSSL's own
  FileStamp stamp_{};
  TimePoint looked_ = TimePoint::min();
  std::vector<std::shared_ptr<TlsContext>> for_names_;
};

// A TLS stream whose peer has the names `peer_names()`.
class TlsConnection : public Stream {
 public:
  // The DNS names in the peer's verified certificate; empty when it sent none.
  virtual std::vector<std::string> peer_names() const = 0;
};

// Whether the peer begins with a TLS handshake, for a port that accepts TLS and plain connections.
// Waits for the first byte and leaves it unread.
Task<Result<bool>> BeginsTls(Stream& stream, TimePoint deadline);

// The server's side of the handshake. kInvalid, with OpenSSL's reason: it failed.
Task<Result<std::unique_ptr<TlsConnection>>> TlsAccept(std::shared_ptr<TlsContext> context,
                                                       std::unique_ptr<Stream> stream,
                                                       TimePoint deadline);
// The client's side of the handshake. `name` is sent as SNI (unless it is an address), and the
// certificate must be for it, unless the context ignores certificates. kPermission: the certificate
// has another name or another authority. kInvalid: any other problem of the certificate.
Task<Result<std::unique_ptr<TlsConnection>>> TlsConnect(std::shared_ptr<TlsContext> context,
                                                        std::unique_ptr<Stream> stream,
                                                        std::string name, TimePoint deadline);

}  // namespace meridian::io
