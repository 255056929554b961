// Makes, signs and reads X.509 certificates (RFC 5280) and their keys as PEM texts. Keys are ECDSA
// on P-256. It touches no files; `ca` keeps them.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/secret.hpp"

namespace meridian::site {

enum class CertificateUse {
  kAuthority,  // signs others, one level deep
  kPeer,       // either end of mutual TLS
  kServer,     // the server's end only
};

// The contents of a certificate.
struct CertificateFacts {
  CertificateUse use = CertificateUse::kServer;
  std::string organization;  // at most 64 bytes (RFC 5280 appendix A.1); common_name too
  std::string common_name;
  std::vector<std::string> dns_names;  // subject alternative names
  std::vector<IpAddress> addresses;
  WallTime not_before;  // whole seconds
  WallTime not_after;

  bool operator==(const CertificateFacts&) const = default;
};

// A private key in PKCS #8 PEM.
Result<Secret> MakeKey();

// A certificate for `subject_key`, signed with `issuer_key`. An authority signs itself: its
// issuer_certificate is empty.
struct Signing {
  const Secret& subject_key;
  const Secret& issuer_key;
  std::string_view issuer_certificate;
};
Result<std::string> Sign(const CertificateFacts& facts, const Signing& signing);

// The first certificate in `pem`. kInvalid when there is none.
Result<CertificateFacts> ReadCertificate(std::string_view pem);

// Whether `certificate` was signed with the key of `authority`; ignores their dates.
bool IsSignedBy(std::string_view certificate, std::string_view authority);

// Whether the first private key in `key` is that of the first certificate in `certificate`.
bool KeyFits(std::string_view key, std::string_view certificate);

}  // namespace meridian::site
