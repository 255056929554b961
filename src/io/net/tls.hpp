// TLS 1.2 and 1.3 (OpenSSL) around any Stream. A TlsContext holds certificates and what to demand
// of the peer; TlsAccept and TlsConnect do the handshake and give a Stream that is used like any
// other.
//
// A context may be shared by the streams of one thread and is kept alive by them. Streams: one
// thread. An end of the inner stream without TLS's own end (close_notify) is reported as kReset: a
// body that was cut off by somebody in between must not look whole.
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
  // Servers: of the peers with a certificate, those with one of these names in it are let in.
  // Empty: all whom the authorities vouch for.
  std::vector<std::string> accepted_names = {};
};

// How often, at most, a context looks whether its certificate was replaced.
constexpr Duration kCertificateFreshness = std::chrono::seconds{30};

// Takes up a certificate that was replaced while it runs: connections that are made afterwards show
// the new one.
class TlsContext {
 public:
  // Errors name the file that could not be used.
  static Result<std::shared_ptr<TlsContext>> ForServer(const TlsOptions& options);
  static Result<std::shared_ptr<TlsContext>> ForClient(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Servers: shows the certificate of `other`, a server's context too, to clients that ask (by SNI)
  // for a name in it. Of several, the first that was added. All else is as this context has it.
  void AddForNames(std::shared_ptr<TlsContext> other);

  // Reads the files again when the certificate's is another than it was; keeps what it has when
  // they cannot be used. Called before each handshake; looks once in kCertificateFreshness.
  void Refresh(TimePoint now);

  ssl_ctx_st* native() const { return native_; }
  // Whether a peer with these names in its verified certificate is let in.
  Result<void> Admits(const std::vector<std::string>& peer_names) const;

 private:
  enum class Side : uint8_t { kServer, kClient };
  // Which file a path stands for, and since when.
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
  FileStamp stamp_{};
  TimePoint looked_ = TimePoint::min();
  std::vector<std::shared_ptr<TlsContext>> for_names_;
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
// it, unless the context ignores certificates. kPermission when the peer is another than that, or
// of another authority; kInvalid for all else that is wrong with it.
Task<Result<std::unique_ptr<TlsConnection>>> TlsConnect(std::shared_ptr<TlsContext> context,
                                                        std::unique_ptr<Stream> stream,
                                                        std::string name, TimePoint deadline);

}  // namespace meridian::io
