#include "site/trust/certificate.hpp"

#include <chrono>
#include <ctime>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/secret.hpp"

namespace meridian::site {
namespace {

template <auto kFree>
struct Freeing {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freeing<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Number = std::unique_ptr<BIGNUM, Freeing<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freeing<GENERAL_NAMES_free>>;

// The last error of OpenSSL; empties its queue.
std::unexpected<Error> FailOpenSsl(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Fail(Errc::kInvalid, "{}: {}", what, reason ? reason : "OpenSSL gave no reason");
}

Bio Reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Prevents OpenSSL from asking the terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return -1; }

Key ReadKey(std::string_view pem) {
  return Key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, &NoPassword, nullptr));
}

Certificate Read(std::string_view pem) {
  return Certificate(PEM_read_bio_X509(Reader(pem).get(), nullptr, &NoPassword, nullptr));
}

std::string Written(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

bool AddName(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// A random serial number of 127 bits: positive, and 16 octets (RFC 5280 section 4.1.2.2).
bool SetSerial(X509* certificate) {
  Number number(BN_new());
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, const CertificateFacts& facts) {
  auto set = [](ASN1_TIME* field, WallTime time) {
    return ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(
                                    std::chrono::floor<std::chrono::seconds>(time))) != nullptr;
  };
  return set(X509_getm_notBefore(certificate), facts.not_before) &&
         set(X509_getm_notAfter(certificate), facts.not_after);
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string AlternativeNames(const CertificateFacts& facts) {
  std::string names;
  for (const std::string& name : facts.dns_names) names += fmt::format(",DNS:{}", name);
  for (const IpAddress& address : facts.addresses) {
    names += fmt::format(",IP:{}", address.ToString());
  }
  return names.substr(names.empty() ? 0 : 1);
}

bool AddExtensions(X509* certificate, X509* issuer, const CertificateFacts& facts) {
  bool authority = facts.use == CertificateUse::kAuthority;
  auto add = [&](int nid, const std::string& value) {
    return AddExtension(certificate, issuer, nid, value);
  };
  bool added =
      add(NID_basic_constraints, authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
      add(NID_key_usage,
          authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
      add(NID_subject_key_identifier, "hash") && add(NID_authority_key_identifier, "keyid:always");
  if (!added || authority) return added;
  bool peer = facts.use == CertificateUse::kPeer;
  std::string names = AlternativeNames(facts);
  return add(NID_ext_key_usage, peer ? "serverAuth,clientAuth" : "serverAuth") &&
         (names.empty() || add(NID_subject_alt_name, names));
}

std::string NameField(X509* certificate, int nid) {
  X509_NAME* name = X509_get_subject_name(certificate);
  int index = X509_NAME_get_index_by_NID(name, nid, -1);
  if (index < 0) return {};
  ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

WallTime Time(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return WallTime{std::chrono::seconds{timegm(&parts)}};
}

void ReadNames(X509* certificate, CertificateFacts* facts) {
  Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const ASN1_STRING* text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    Bytes bytes{ASN1_STRING_get0_data(text), static_cast<size_t>(ASN1_STRING_length(text))};
    if (name->type == GEN_DNS) {
      facts->dns_names.emplace_back(AsText(bytes));
    } else if (Result<IpAddress> address = IpAddress::FromBytes(bytes)) {
      facts->addresses.push_back(*address);
    }
  }
}

CertificateUse UseOf(X509* certificate) {
  if (X509_check_ca(certificate) != 0) return CertificateUse::kAuthority;
  bool client = (X509_get_extended_key_usage(certificate) & XKU_SSL_CLIENT) != 0;
  return client ? CertificateUse::kPeer : CertificateUse::kServer;
}

}  // namespace

Result<Secret> MakeKey() {
  Key key(EVP_EC_gen("P-256"));
  Bio bio(BIO_new(BIO_s_mem()));
  if (!key || !bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return FailOpenSsl("making a key");
  }
  return Secret(Written(bio.get()));
}

Result<std::string> Sign(const CertificateFacts& facts, const Signing& signing) {
  Key subject_key = ReadKey(signing.subject_key.Reveal());
  Key issuer_key = ReadKey(signing.issuer_key.Reveal());
  if (!subject_key || !issuer_key) return FailOpenSsl("reading a private key");
  Certificate issuer = Read(signing.issuer_certificate);
  bool self_signed = signing.issuer_certificate.empty();
  if (!issuer && !self_signed) return FailOpenSsl("reading the issuer's certificate");

  Certificate certificate(X509_new());
  X509* made = certificate.get();
  X509* signer = self_signed ? made : issuer.get();
  X509_NAME* subject = made ? X509_get_subject_name(made) : nullptr;
  bool ok = made && X509_set_version(made, X509_VERSION_3) == 1 && SetSerial(made) &&
            SetTimes(made, facts) && AddName(subject, "O", facts.organization) &&
            AddName(subject, "CN", facts.common_name) &&
            X509_set_issuer_name(made, X509_get_subject_name(signer)) == 1 &&
            X509_set_pubkey(made, subject_key.get()) == 1 && AddExtensions(made, signer, facts) &&
            X509_sign(made, issuer_key.get(), EVP_sha256()) > 0;
  Bio bio(BIO_new(BIO_s_mem()));
  if (!ok || !bio || PEM_write_bio_X509(bio.get(), made) != 1) {
    return FailOpenSsl(fmt::format("signing a certificate for {}", facts.common_name));
  }
  return Written(bio.get());
}

Result<CertificateFacts> ReadCertificate(std::string_view pem) {
  Certificate certificate = Read(pem);
  if (!certificate) return FailOpenSsl("reading a certificate");
  CertificateFacts facts{.use = UseOf(certificate.get()),
                         .organization = NameField(certificate.get(), NID_organizationName),
                         .common_name = NameField(certificate.get(), NID_commonName),
                         .dns_names = {},
                         .addresses = {},
                         .not_before = Time(X509_get0_notBefore(certificate.get())),
                         .not_after = Time(X509_get0_notAfter(certificate.get()))};
  ReadNames(certificate.get(), &facts);
  return facts;
}

bool IsSignedBy(std::string_view certificate, std::string_view authority) {
  Certificate subject = Read(certificate);
  Certificate issuer = Read(authority);
  bool signed_by = subject && issuer &&
                   X509_check_issued(issuer.get(), subject.get()) == X509_V_OK &&
                   X509_verify(subject.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return signed_by;
}

bool KeyFits(std::string_view key, std::string_view certificate) {
  Key private_key = ReadKey(key);
  Certificate subject = Read(certificate);
  bool fits =
      private_key && subject && X509_check_private_key(subject.get(), private_key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace meridian::site
