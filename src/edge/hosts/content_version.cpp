#include "edge/hosts/content_version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <fmt/core.h>
#include <openssl/evp.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/hosts/versioned_path.hpp"

namespace meridian::edge {
namespace {

static_assert(kVersionDigits <= kMaxVersionBytes);

struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

}  // namespace

std::string ContentVersion(Body& body) {
  if (!body.version().empty()) return std::string(body.version());
  CHECK(body.complete());
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  bool works = EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
  uint64_t offset = 0;
  for (Bytes piece = body.At(0); works && !piece.empty(); piece = body.At(offset)) {
    works = EVP_DigestUpdate(digest.get(), piece.data(), piece.size()) == 1;
    offset += piece.size();
  }
  std::array<uint8_t, EVP_MAX_MD_SIZE> hash;
  works = works && EVP_DigestFinal_ex(digest.get(), hash.data(), nullptr) == 1;
  CHECK(works);  // it is in every OpenSSL, and takes any bytes
  std::string text;
  for (size_t i = 0; i < kVersionDigits / 2; ++i) text += fmt::format("{:02x}", hash[i]);
  body.set_version(text);
  return text;
}

}  // namespace meridian::edge
