#include "io/net/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"

namespace meridian::io {
namespace {

// Returns the last error that OpenSSL queued, and empties the queue.
std::string TakeReason() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

int VerifyMode(PeerCertificate peer) {
  switch (peer) {
    case PeerCertificate::kIgnored:
      return SSL_VERIFY_NONE;
    case PeerCertificate::kOptional:
      return SSL_VERIFY_PEER;
    case PeerCertificate::kRequired:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER;
}

// Checks that a file can be read, for a better error than OpenSSL's "system lib".
Result<void> CanBeRead(const char* what, const std::string& path) {
  std::ifstream file(path);
  bool can = file.is_open() && (file.peek() != std::ifstream::traits_type::eof() || file.eof());
  if (!can) return FailErrno(errno, fmt::format("{} {}", what, path));
  return {};
}

Result<void> UseCertificate(ssl_ctx_st* native, const TlsOptions& options) {
  const std::string& path = options.certificate_path;
  Result<void> readable = CanBeRead("certificate", path);
  if (readable) readable = CanBeRead("key", options.key_path);
  if (!readable) return readable;
  if (SSL_CTX_use_certificate_chain_file(native, path.c_str()) != 1) {
    return Fail(Errc::kInvalid,
                "certificate {}: {}. It must hold a certificate in PEM form, then those that it is "
                "signed by",
                path, TakeReason());
  }
  int key = SSL_CTX_use_PrivateKey_file(native, options.key_path.c_str(), SSL_FILETYPE_PEM);
  // OpenSSL compares a key of the same type at once.
  bool differs = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                 (key == 1 && SSL_CTX_check_private_key(native) != 1);
  if (differs) {
    ERR_clear_error();
    return Fail(Errc::kInvalid, "key {} does not belong to certificate {}", options.key_path, path);
  }
  if (key != 1) {
    return Fail(Errc::kInvalid,
                "key {}: {}. It must be a private key in PEM form, without a passphrase",
                options.key_path, TakeReason());
  }
  return {};
}

Result<void> UseFiles(ssl_ctx_st* native, const TlsOptions& options) {
  if (!options.certificate_path.empty()) {
    Result<void> used = UseCertificate(native, options);
    if (!used) return used;
  }
  if (!options.authorities_path.empty()) {
    const char* path = options.authorities_path.c_str();
    if (SSL_CTX_load_verify_locations(native, path, nullptr) != 1) {
      return Fail(Errc::kInvalid, "authorities {}: {}", path, TakeReason());
    }
  } else {
    SSL_CTX_set_default_verify_paths(native);
  }
  return {};
}

void BecomeServer(ssl_ctx_st* native, const TlsOptions& options) {
  // Separates resumable sessions by the verification mode under which they were made.
  static constexpr unsigned char kSessionContext[] = "meridian";
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof kSessionContext - 1);
  if (options.peer != PeerCertificate::kIgnored && !options.authorities_path.empty()) {
    SSL_CTX_set_client_CA_list(native, SSL_load_client_CA_file(options.authorities_path.c_str()));
  }
}

void SetTicketKeys(ssl_ctx_st* native, const std::string& keys) {
  std::string copy = keys;  // OpenSSL takes a pointer to non-const
  CHECK(SSL_CTX_set_tlsext_ticket_keys(native, copy.data(), copy.size()) == 1);
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(native_); }

Result<void> TlsContext::Read() {
  // Taken before the files are read, so that a file replaced meanwhile is read again.
  FileStamp stamp = CertificateStamp();
  ssl_ctx_st* native =
      SSL_CTX_new(side_ == Side::kServer ? TLS_server_method() : TLS_client_method());
  CHECK(native != nullptr);
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // For TLS 1.2 only suites with forward secrecy and AEAD, none with CBC (RFC 9325 section 4.2.1).
  CHECK(SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(native, VerifyMode(options_.peer), nullptr);
  Result<void> used = UseFiles(native, options_);
  if (!used) {
    SSL_CTX_free(native);
    return used;
  }
  if (side_ == Side::kServer) {
    BecomeServer(native, options_);
    SSL_CTX_set_tlsext_servername_callback(native, &ChooseByName);
    SSL_CTX_set_tlsext_servername_arg(native, this);
    if (!ticket_keys_.empty()) SetTicketKeys(native, ticket_keys_);
  }
  // Existing connections keep the old context alive.
  SSL_CTX_free(native_);
  native_ = native;
  stamp_ = stamp;
  return {};
}

TlsContext::FileStamp TlsContext::CertificateStamp() const {
  struct stat status{};
  if (options_.certificate_path.empty() || stat(options_.certificate_path.c_str(), &status) != 0) {
    return {};
  }
  return {static_cast<int64_t>(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void TlsContext::AddForNames(std::shared_ptr<TlsContext> other) {
  for_names_.push_back(std::move(other));
}

std::string TlsContext::TicketKeys() const {
  std::string keys(static_cast<size_t>(SSL_CTX_get_tlsext_ticket_keys(native_, nullptr, 0)), '\0');
  CHECK(SSL_CTX_get_tlsext_ticket_keys(native_, keys.data(), keys.size()) == 1);
  return keys;
}

void TlsContext::UseTicketKeys(const std::string& keys) {
  ticket_keys_ = keys;
  SetTicketKeys(native_, keys);
}

Result<void> TlsContext::Admits(const std::vector<std::string>& peer_names) const {
  const std::vector<std::string>& accepted = options_.accepted_names;
  if (accepted.empty() || peer_names.empty()) return {};
  bool known = std::ranges::any_of(peer_names, [&](const std::string& name) {
    return std::ranges::find(accepted, name) != accepted.end();
  });
  if (known) return {};
  return Fail(Errc::kInvalid, "its certificate is for {}, a name that is not accepted here",
              peer_names.front());
}

bool TlsContext::HasName(const char* name) const {
  X509* certificate = SSL_CTX_get0_certificate(native_);
  return certificate != nullptr && X509_check_host(certificate, name, 0, 0, nullptr) == 1;
}

int TlsContext::ChooseByName(ssl_st* connection, int* /*alert*/, void* context) {
  const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (const auto& other : static_cast<TlsContext*>(context)->for_names_) {
    if (!other->HasName(name)) continue;
    SSL_set_SSL_CTX(connection, other->native_);
    break;
  }
  return SSL_TLSEXT_ERR_OK;
}

void TlsContext::Refresh(TimePoint now) {
  for (const auto& other : for_names_) other->Refresh(now);
  if (options_.certificate_path.empty() || now < looked_ + kCertificateFreshness) return;
  looked_ = now;
  if (CertificateStamp() == stamp_) return;
  Result<void> read = Read();
  if (!read) LOG_WARNING("a new certificate cannot be used", {"problem", read.error().message});
}

Result<std::shared_ptr<TlsContext>> TlsContext::Make(const TlsOptions& options, Side side) {
  std::shared_ptr<TlsContext> context(new TlsContext(options, side));
  Result<void> read = context->Read();
  if (!read) return Fail(std::move(read.error()));
  return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::ForServer(const TlsOptions& options) {
  return Make(options, Side::kServer);
}

Result<std::shared_ptr<TlsContext>> TlsContext::ForClient(const TlsOptions& options) {
  return Make(options, Side::kClient);
}

Task<Result<bool>> BeginsTls(Stream& stream, TimePoint deadline) {
  static constexpr uint8_t kHandshakeRecord = 22;  // RFC 8446 5.1
  for (;;) {
    Result<void> waited = co_await stream.Readable(deadline);
    if (!waited) co_return Fail(std::move(waited.error()));
    uint8_t first = 0;
    Result<size_t> got = stream.TryPeek({&first, 1});
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) co_return Fail(Errc::kClosed, "closed before the first byte");
    if (*got != Stream::kBlocked) co_return first == kHandshakeRecord;
  }
}

}  // namespace meridian::io
