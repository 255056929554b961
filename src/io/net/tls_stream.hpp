// TlsStream: the TlsConnection behind io/net/tls.hpp. Private to io/.
//
// OpenSSL reads and writes the inner stream through our own BIO, which calls its Try functions. A
// call that would block returns Stream::kBlocked, and the inner stream's notifications come to this
// stream (Stream::outer_).
#pragma once

#include <memory>

#include <openssl/ssl.h>

#include "io/net/tls.hpp"

namespace meridian::io {

class TlsStream final : public TlsConnection {
 public:
  enum class Side : uint8_t { kServer, kClient };
  TlsStream(std::shared_ptr<TlsContext> context, std::unique_ptr<Stream> inner, Side side);
  ~TlsStream() override;

  SSL* native() const { return ssl_; }

  std::vector<std::string> peer_names() const override;
  void ShutdownWrite() override;
  void Close() override;
  void Abort() override;
  Endpoint local() const override { return inner_->local(); }
  Endpoint peer() const override { return inner_->peer(); }
  Result<size_t> TryRead(MutableBytes into) override;
  Result<size_t> TryWrite(std::span<const Bytes> pieces) override;
  void Cork(bool corked) override { inner_->Cork(corked); }
  bool MaybeReadable() const override;
  bool hung_up() const override { return inner_->hung_up(); }
  bool peer_ended() const override { return inner_->peer_ended(); }
  bool AskReadable() override { return MaybeReadable() || inner_->AskReadable(); }

 private:
  static int BioRead(BIO* bio, char* into, size_t size, size_t* got);
  static int BioWrite(BIO* bio, const char* data, size_t size, size_t* written);
  static long BioControl(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* BioMethod();

  // The meaning of a failed SSL call: blocked, the end, or an error.
  Result<size_t> Outcome(int returned, const char* what);

  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<Stream> inner_;
  SSL* ssl_;
  bool broken_ = false;  // after a fatal error SSL_shutdown must not be called
};

}  // namespace meridian::io
