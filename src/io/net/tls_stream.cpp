#include "io/net/tls_stream.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"

namespace meridian::io {

TlsStream::TlsStream(std::shared_ptr<TlsContext> context, std::unique_ptr<Stream> inner, Side side)
    : context_(std::move(context)), inner_(std::move(inner)), ssl_(SSL_new(context_->native())) {
  CHECK(ssl_ != nullptr);
  inner_->outer_ = this;
  BIO* bio = BIO_new(BioMethod());
  BIO_set_data(bio, inner_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  side == Side::kServer ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

const BIO_METHOD* TlsStream::BioMethod() {
  static const BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "meridian stream");
    BIO_meth_set_read_ex(made, BioRead);
    BIO_meth_set_write_ex(made, BioWrite);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  return method;
}

int TlsStream::BioRead(BIO* bio, char* into, size_t size, size_t* got) {
  auto* inner = static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  Result<size_t> read = inner->TryRead({reinterpret_cast<uint8_t*>(into), size});
  if (!read || *read == 0) return 0;
  if (*read == kBlocked) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *got = *read;
  return 1;
}

int TlsStream::BioWrite(BIO* bio, const char* data, size_t size, size_t* written) {
  auto* inner = static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  Bytes piece(reinterpret_cast<const uint8_t*>(data), size);
  Result<size_t> sent = inner->TryWrite({&piece, 1});
  if (!sent) return 0;
  if (*sent == kBlocked) {
    BIO_set_retry_write(bio);
    return 0;
  }
  *written = *sent;
  return 1;
}

long TlsStream::BioControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

Result<size_t> TlsStream::Outcome(int returned, const char* what) {
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return kBlocked;
    case SSL_ERROR_ZERO_RETURN:
      return size_t{0};
    default:
      break;
  }
  broken_ = true;
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return Fail(Errc::kReset, "{}: the connection broke off", what);
  }
  const char* reason = ERR_reason_error_string(code);
  return Fail(Errc::kInvalid, "{}: TLS: {}", what, reason == nullptr ? "unknown reason" : reason);
}

Result<size_t> TlsStream::TryRead(MutableBytes into) {
  if (broken_) return Fail(Errc::kReset, "read: the TLS connection is broken");
  ERR_clear_error();
  size_t got = 0;
  int returned = SSL_read_ex(ssl_, into.data(), into.size(), &got);
  return returned == 1 ? Result<size_t>(got) : Outcome(returned, "read");
}

Result<size_t> TlsStream::TryWrite(std::span<const Bytes> pieces) {
  if (broken_) return Fail(Errc::kReset, "write: the TLS connection is broken");
  ERR_clear_error();
  if (!SSL_is_init_finished(ssl_)) {
    int returned = SSL_do_handshake(ssl_);
    if (returned != 1) {
      Result<size_t> outcome = Outcome(returned, "handshake");
      // An orderly end of the peer during a handshake is an error.
      if (outcome && *outcome == 0) return Fail(Errc::kReset, "handshake: the peer closed");
      return outcome;
    }
  }
  auto piece = std::ranges::find_if(pieces, [](Bytes candidate) { return !candidate.empty(); });
  if (piece == pieces.end()) return size_t{0};
  size_t written = 0;
  int returned = SSL_write_ex(ssl_, piece->data(), piece->size(), &written);
  if (returned == 1) return written;
  Result<size_t> outcome = Outcome(returned, "write");
  if (outcome && *outcome == 0) return Fail(Errc::kReset, "write: the peer closed");
  return outcome;
}

bool TlsStream::MaybeReadable() const {
  return SSL_has_pending(ssl_) != 0 || inner_->MaybeReadable();
}

void TlsStream::ShutdownWrite() {
  if (!broken_ && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  ERR_clear_error();
  // The TCP direction stays open: a TLS 1.2 peer answers a close_notify with its own.
}

void TlsStream::Close() {
  ShutdownWrite();
  broken_ = true;
  inner_->Close();
  InterruptAll();
}

void TlsStream::Abort() {
  broken_ = true;
  inner_->Abort();
  InterruptAll();
}

std::vector<std::string> TlsStream::peer_names() const {
  std::vector<std::string> names;
  X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return names;
  auto* alternatives = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* text = name->d.dNSName;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(alternatives);
  return names;
}

namespace {

// The peer is a different one than requested, whatever the dates or the state of its certificate.
bool IsOtherPeer(long verified) {
  return verified == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         verified == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
         verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
         verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         verified == X509_V_ERR_CERT_SIGNATURE_FAILURE || verified == X509_V_ERR_HOSTNAME_MISMATCH;
}

Task<Result<std::unique_ptr<TlsConnection>>> Handshake(std::unique_ptr<TlsStream> stream,
                                                       TimePoint deadline) {
  Result<void> shaken = co_await stream->Write(std::span<const Bytes>{}, deadline);
  if (shaken) co_return stream;
  long verified = SSL_get_verify_result(stream->native());
  if (shaken.error().code == Errc::kInvalid && verified != X509_V_OK) {
    Errc code = IsOtherPeer(verified) ? Errc::kPermission : Errc::kInvalid;
    co_return Fail(code, "handshake: TLS: {}", X509_verify_cert_error_string(verified));
  }
  co_return Fail(std::move(shaken.error()));
}

}  // namespace

Task<Result<std::unique_ptr<TlsConnection>>> TlsAccept(std::shared_ptr<TlsContext> context,
                                                       std::unique_ptr<Stream> stream,
                                                       TimePoint deadline) {
  context->Refresh((co_await ThisFiber{}).loop().Now());
  auto tls = std::make_unique<TlsStream>(context, std::move(stream), TlsStream::Side::kServer);
  Result<std::unique_ptr<TlsConnection>> secured = co_await Handshake(std::move(tls), deadline);
  if (!secured) co_return secured;
  Result<void> admitted = context->Admits((*secured)->peer_names());
  if (!admitted) co_return Fail(std::move(admitted.error()));
  co_return secured;
}

Task<Result<std::unique_ptr<TlsConnection>>> TlsConnect(std::shared_ptr<TlsContext> context,
                                                        std::unique_ptr<Stream> stream,
                                                        std::string name, TimePoint deadline) {
  context->Refresh((co_await ThisFiber{}).loop().Now());
  auto tls =
      std::make_unique<TlsStream>(std::move(context), std::move(stream), TlsStream::Side::kClient);
  if (IpAddress::Parse(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->native()), name.c_str());
  } else {
    SSL_set_tlsext_host_name(tls->native(), name.c_str());
    SSL_set1_host(tls->native(), name.c_str());
  }
  co_return co_await Handshake(std::move(tls), deadline);
}

}  // namespace meridian::io
