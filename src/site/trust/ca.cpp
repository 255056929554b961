#include "site/trust/ca.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/file/file.hpp"
#include "io/file/file_lock.hpp"
#include "site/limits.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/trust/certificate.hpp"

namespace meridian::site {
namespace {

namespace fs = std::filesystem;

// The CA's certificate and, if it is here, its key.
struct Authority {
  std::string certificate;
  Secret key;
};

// The content of a file, or "" if there is none.
Result<std::string> ReadIfThere(const fs::path& file) {
  Result<std::string> content = io::ReadFile(file, kMaxPemBytes);
  if (!content && content.error().code == Errc::kNotFound) return std::string();
  return content;
}

CertificateFacts AuthorityFacts(const Site& site, WallTime now) {
  return {.use = CertificateUse::kAuthority,
          .organization = site.name,
          .common_name = "Meridian site CA",
          .dns_names = {},
          .addresses = {},
          .not_before = now - kClockSkewAllowed,
          .not_after = now + kAuthorityLifetime};
}

Result<> CheckAuthority(const fs::path& file, const Authority& authority, WallTime now) {
  Result<CertificateFacts> facts = ReadCertificate(authority.certificate);
  std::string problem;
  if (!facts) {
    problem = facts.error().message;
  } else if (facts->use != CertificateUse::kAuthority) {
    problem = "not a certificate authority's";
  } else if (now >= facts->not_after) {
    problem = "it has run out";
  } else if (!authority.key.empty() && !KeyFits(authority.key.Reveal(), authority.certificate)) {
    problem = "authority.key is not its key";
  }
  if (problem.empty()) return {};
  return Fail(Errc::kInvalid,
              "{}: {}; put the right one back, or remove the folder everywhere to make a new CA",
              file.native(), problem);
}

// The key is written before the certificate, so after a crash between the two the next run uses the
// key.
Result<Authority> EnsureAuthority(const fs::path& folder, const Site& site, WallTime now) {
  fs::path certificate_file = folder / "authority.pem";
  fs::path key_file = folder / "authority.key";
  Result<std::string> certificate = ReadIfThere(certificate_file);
  if (!certificate) return Fail(certificate.error());
  Result<std::string> key = ReadIfThere(key_file);
  if (!key) return Fail(key.error());
  Authority authority{.certificate = *certificate, .key = Secret(*key)};
  if (authority.certificate.empty()) {
    if (authority.key.empty()) {
      Result<Secret> made = MakeKey();
      if (!made) return Fail(made.error());
      authority.key = *made;
      Result<> written = io::WriteFileAtomically(key_file, authority.key.Reveal(), 0600);
      if (!written) return Fail(written.error());
    }
    Result<std::string> made =
        Sign(AuthorityFacts(site, now),
             {.subject_key = authority.key, .issuer_key = authority.key, .issuer_certificate = ""});
    if (!made) return Fail(made.error());
    authority.certificate = *made;
    Result<> written = io::WriteFileAtomically(certificate_file, authority.certificate, 0600);
    if (!written) return Fail(written.error());
  }
  Result<> good = CheckAuthority(certificate_file, authority, now);
  if (!good) return Fail(good.error());
  return authority;
}

CertificateFacts PeerFacts(const Site& site, const DataCenter& data_center) {
  return {.use = CertificateUse::kPeer,
          .organization = site.name,
          .common_name = data_center.name,
          .dns_names = {PeerName(data_center.name, site)},
          .addresses = {data_center.address},
          .not_before = {},
          .not_after = {}};
}

CertificateFacts WebFacts(const Site& site) {
  CertificateFacts facts{.use = CertificateUse::kServer,
                         .organization = site.name,
                         .common_name = "web",
                         .dns_names = {site.domain, "*." + site.domain, "cdn." + site.domain},
                         .addresses = {},
                         .not_before = {},
                         .not_after = {}};
  for (const DataCenter& data_center : site.datacenters) {
    facts.dns_names.push_back(data_center.name + "." + site.domain);
    facts.addresses.push_back(data_center.address);
    for (const IpAddress& address : data_center.public_addresses) {
      if (address != data_center.address) facts.addresses.push_back(address);
    }
  }
  return facts;
}

// The share of its lifetime that the certificate in `pem` has left, 0 to 1. 0 if it is unusable:
// damaged, for other names, of another authority, or expired.
double RemainingShare(const std::string& pem, CertificateFacts wanted, const Authority& authority,
                      WallTime now) {
  Result<CertificateFacts> facts = ReadCertificate(pem);
  if (!facts || !KeyFits(pem, pem) || !IsSignedBy(pem, authority.certificate)) return 0;
  wanted.not_before = facts->not_before;
  wanted.not_after = facts->not_after;
  bool serves = *facts == wanted && facts->not_before <= now && now < facts->not_after;
  if (!serves) return 0;
  return Seconds(facts->not_after - now) / Seconds(facts->not_after - facts->not_before);
}

// False if the certificate expires soon and cannot be signed again.
Result<bool> EnsureLeaf(const fs::path& file, CertificateFacts wanted, const Authority& authority,
                        WallTime now) {
  Result<std::string> pem = ReadIfThere(file);
  if (!pem) return Fail(pem.error());
  double remaining = RemainingShare(*pem, wanted, authority, now);
  bool can_sign = !authority.key.empty();
  if (remaining >= kRenewedBelowShare) return true;
  if (remaining > 0 && !can_sign) return false;
  if (!can_sign) {
    return Fail(Errc::kNotFound,
                "{} is missing, damaged, out of date or for other names, and authority.key is not "
                "here to sign a new one; copy it from the machine where the site CA was made",
                file.native());
  }
  Result<Secret> key = MakeKey();
  if (!key) return Fail(key.error());
  Result<CertificateFacts> issuer = ReadCertificate(authority.certificate);
  if (!issuer) return Fail(issuer.error());
  wanted.not_before = now - kClockSkewAllowed;
  wanted.not_after = std::min(now + kLeafLifetime, issuer->not_after);
  Result<std::string> certificate = Sign(wanted, {.subject_key = *key,
                                                  .issuer_key = authority.key,
                                                  .issuer_certificate = authority.certificate});
  if (!certificate) return Fail(certificate.error());
  Result<> written = io::WriteFileAtomically(file, key->Reveal() + *certificate, 0600);
  if (!written) return Fail(written.error());
  return true;
}

}  // namespace

std::string PeerName(std::string_view data_center, const Site& site) {
  return fmt::format("{}.dc.{}.meridian", data_center, site.name);
}

std::vector<std::string> PeerNames(const Site& site) {
  std::vector<std::string> names;
  names.reserve(site.datacenters.size());
  for (const DataCenter& each : site.datacenters) names.push_back(PeerName(each.name, site));
  return names;
}

Result<SiteCa> EnsureCa(const StateDir& state, const Site& site,
                        const std::vector<std::string>& datacenters, WallTime now) {
  Result<io::FileLock> lock = state.LockForSetup();
  if (!lock) return Fail(lock.error());
  Result<Authority> authority = EnsureAuthority(state.ca(), site, now);
  if (!authority) return Fail(authority.error());
  SiteCa ca{.authority = state.ca() / "authority.pem",
            .datacenters = {},
            .web = state.ca() / "web.pem",
            .expiring = {}};
  for (const std::string& name : datacenters) {
    const DataCenter* data_center = site.FindDataCenter(name);
    CHECK(data_center != nullptr);
    fs::path file = state.ca() / fmt::format("dc-{}.pem", name);
    Result<bool> leaf = EnsureLeaf(file, PeerFacts(site, *data_center), *authority, now);
    if (!leaf) return Fail(leaf.error());
    if (!*leaf) ca.expiring.push_back(file);
    ca.datacenters[name] = file;
  }
  Result<bool> web = EnsureLeaf(ca.web, WebFacts(site), *authority, now);
  if (!web) return Fail(web.error());
  if (!*web) ca.expiring.push_back(ca.web);
  return ca;
}

}  // namespace meridian::site
