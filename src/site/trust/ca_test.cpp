#include "site/trust/ca.hpp"

#include <fstream>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/scratch_dir.hpp"
#include "site/limits.hpp"
#include "site/trust/certificate.hpp"

namespace meridian::site {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using std::chrono::sys_days;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr WallTime kNow = sys_days{std::chrono::year{2030} / 1 / 1};

Site TwoDataCenters(const std::string& name = "photos") {
  Site site;
  site.name = name;
  site.domain = name + ".example";
  site.datacenters = {{.name = "us-east",
                       .address = IpAddress::V4(127, 1, 0, 1),
                       .public_addresses = {*IpAddress::Parse("2001:db8::1")},
                       .city = "",
                       .location = {}},
                      {.name = "us-west",
                       .address = IpAddress::V4(127, 2, 0, 1),
                       .public_addresses = {IpAddress::V4(127, 2, 0, 1)},
                       .city = "",
                       .location = {}}};
  return site;
}

class Ca : public testing::Test {
 protected:
  Result<SiteCa> Ensure(WallTime now = kNow) {
    return EnsureCa(state_, site_, {"us-east", "us-west"}, now);
  }
  static std::string Content(const fs::path& file) {
    return io::ReadFile(file, kMaxPemBytes).value();
  }
  static CertificateFacts Facts(const fs::path& file) {
    return ReadCertificate(Content(file)).value();
  }

  ScratchDir scratch_;
  Site site_ = TwoDataCenters();
  StateDir state_ = StateDir::Create(scratch_ / "state").value();
};

struct Question {
  const fs::path& certificate;
  const fs::path& authority;
  int purpose;
  const char* host = nullptr;
  const char* address = nullptr;
};

// The result of OpenSSL's verification at kNow, as in a TLS handshake.
bool Verifies(const Question& question) {
  auto read = [](const fs::path& file) {
    std::unique_ptr<FILE, int (*)(FILE*)> stream(fopen(file.c_str(), "r"), &fclose);
    return std::unique_ptr<X509, void (*)(X509*)>(
        PEM_read_X509(stream.get(), nullptr, nullptr, nullptr), &X509_free);
  };
  auto certificate = read(question.certificate);
  auto authority = read(question.authority);
  std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store(X509_STORE_new(), &X509_STORE_free);
  std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context(X509_STORE_CTX_new(),
                                                                     &X509_STORE_CTX_free);
  X509_STORE_add_cert(store.get(), authority.get());
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(
      rules, std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(kNow)));
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(rules, question.purpose);
  if (question.host) X509_VERIFY_PARAM_set1_host(rules, question.host, 0);
  if (question.address) X509_VERIFY_PARAM_set1_ip_asc(rules, question.address);
  return X509_verify_cert(context.get()) == 1;
}

TEST_F(Ca, DataCentersTrustEachOtherByNameAndAddress) {
  SiteCa ca = Ensure().value();
  const fs::path& east = ca.datacenters.at("us-east");
  for (int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    EXPECT_TRUE(Verifies({.certificate = east,
                          .authority = ca.authority,
                          .purpose = purpose,
                          .host = "us-east.dc.photos.meridian"}));
    EXPECT_FALSE(Verifies({.certificate = east,
                           .authority = ca.authority,
                           .purpose = purpose,
                           .host = "us-west.dc.photos.meridian"}));
  }
  EXPECT_TRUE(Verifies({.certificate = east,
                        .authority = ca.authority,
                        .purpose = X509_PURPOSE_SSL_SERVER,
                        .address = "127.1.0.1"}));
  EXPECT_EQ(PeerName("us-east", site_), "us-east.dc.photos.meridian");
}

TEST_F(Ca, VisitorsSeeEveryPublicNameAndAddress) {
  SiteCa ca = Ensure().value();
  for (const char* host :
       {"photos.example", "www.photos.example", "cdn.photos.example", "us-east.photos.example"}) {
    EXPECT_TRUE(Verifies({.certificate = ca.web,
                          .authority = ca.authority,
                          .purpose = X509_PURPOSE_SSL_SERVER,
                          .host = host}))
        << host;
  }
  for (const char* address : {"127.1.0.1", "2001:db8::1", "127.2.0.1"}) {
    EXPECT_TRUE(Verifies({.certificate = ca.web,
                          .authority = ca.authority,
                          .purpose = X509_PURPOSE_SSL_SERVER,
                          .address = address}))
        << address;
  }
}

TEST_F(Ca, VisitorsCertificateDoesNotOpenThePeerPorts) {
  SiteCa ca = Ensure().value();
  EXPECT_FALSE(Verifies(
      {.certificate = ca.web, .authority = ca.authority, .purpose = X509_PURPOSE_SSL_CLIENT}));
}

TEST_F(Ca, AnotherSitesCaDoesNotVerifyEvenWithTheSameNames) {
  SiteCa ca = Ensure().value();
  StateDir other_state = StateDir::Create(scratch_ / "other").value();
  SiteCa other = EnsureCa(other_state, site_, {"us-east"}, kNow).value();
  EXPECT_FALSE(Verifies({.certificate = ca.datacenters.at("us-east"),
                         .authority = other.authority,
                         .purpose = X509_PURPOSE_SSL_CLIENT}));
  EXPECT_FALSE(IsSignedBy(Content(ca.web), Content(other.authority)));
}

TEST_F(Ca, ADataCentersCertificateSignsNothing) {
  SiteCa ca = Ensure().value();
  std::string east = Content(ca.datacenters.at("us-east"));
  Secret key(east);
  CertificateFacts facts = Facts(ca.datacenters.at("us-west"));
  std::string forged =
      Sign(facts, {.subject_key = key, .issuer_key = key, .issuer_certificate = east}).value();
  EXPECT_FALSE(IsSignedBy(forged, Content(ca.authority)));
  EXPECT_FALSE(IsSignedBy(forged, east));
}

TEST_F(Ca, FilesArePrivateAndNothingElseIsLeft) {
  mode_t before = umask(0);
  SiteCa ca = Ensure().value();
  umask(before);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(state_.ca())) {
    struct stat facts{};
    ASSERT_EQ(stat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0600u) << entry.path();
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("authority.key", "authority.pem",
                                                   "dc-us-east.pem", "dc-us-west.pem", "web.pem"));
}

TEST_F(Ca, IsMadeOnceAndThenKept) {
  SiteCa ca = Ensure().value();
  std::string authority = Content(ca.authority);
  std::string east = Content(ca.datacenters.at("us-east"));
  ASSERT_TRUE(Ensure(kNow + days{200}));
  EXPECT_EQ(Content(ca.authority), authority);
  EXPECT_EQ(Content(ca.datacenters.at("us-east")), east);
}

TEST_F(Ca, LeavesAreRenewedWhenLessThanAThirdOfTheirTimeRemains) {
  SiteCa ca = Ensure().value();
  std::string east = Content(ca.datacenters.at("us-east"));
  Duration lifetime = kLeafLifetime + kClockSkewAllowed;
  WallTime third_left = kNow + kLeafLifetime - lifetime / 3;
  ASSERT_TRUE(Ensure(third_left - std::chrono::minutes{1}));
  EXPECT_EQ(Content(ca.datacenters.at("us-east")), east);
  ASSERT_TRUE(Ensure(third_left + std::chrono::minutes{1}));
  EXPECT_NE(Content(ca.datacenters.at("us-east")), east);
  EXPECT_EQ(Facts(ca.web).not_after, third_left + std::chrono::minutes{1} + kLeafLifetime);
}

TEST_F(Ca, NoLeafOutlivesTheAuthorityAndOneThatHasRunOutIsAnError) {
  SiteCa ca = Ensure().value();
  WallTime end = Facts(ca.authority).not_after;
  EXPECT_EQ(end, kNow + kAuthorityLifetime);
  ASSERT_TRUE(Ensure(end - days{30}));
  EXPECT_EQ(Facts(ca.web).not_after, end);
  Result<SiteCa> after = Ensure(end);
  ASSERT_FALSE(after);
  EXPECT_THAT(after.error().message, HasSubstr("it has run out"));
}

TEST_F(Ca, LeavesFollowTheSitesNamesAndAddresses) {
  SiteCa ca = Ensure().value();
  std::string west = Content(ca.datacenters.at("us-west"));
  site_.datacenters[0].address = IpAddress::V4(10, 0, 0, 1);
  ASSERT_TRUE(Ensure());
  EXPECT_THAT(Facts(ca.datacenters.at("us-east")).addresses,
              ElementsAre(IpAddress::V4(10, 0, 0, 1)));
  EXPECT_EQ(Content(ca.datacenters.at("us-west")), west);
  site_.domain = "other.example";
  ASSERT_TRUE(Ensure());
  EXPECT_THAT(Facts(ca.web).dns_names, testing::Contains("*.other.example"));
}

TEST_F(Ca, DamagedLeavesAreMadeAnewAndADamagedAuthorityNever) {
  SiteCa ca = Ensure().value();
  std::string east = Content(ca.datacenters.at("us-east"));
  std::string west = Content(ca.datacenters.at("us-west"));
  std::string key_of_west = west.substr(0, west.find("-----BEGIN CERTIFICATE"));
  std::string certificate_of_east = east.substr(east.find("-----BEGIN CERTIFICATE"));
  for (const std::string& damaged :
       {std::string(), std::string("x"), east.substr(0, east.size() / 2), certificate_of_east,
        key_of_west + certificate_of_east}) {
    std::ofstream(ca.datacenters.at("us-east")) << damaged;
    ASSERT_TRUE(Ensure());
    EXPECT_TRUE(Verifies({.certificate = ca.datacenters.at("us-east"),
                          .authority = ca.authority,
                          .purpose = X509_PURPOSE_SSL_CLIENT}));
  }
  std::string half = Content(ca.authority).substr(0, 100);
  std::ofstream(ca.authority) << half;
  Result<SiteCa> refused = Ensure();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("authority.pem"));
  EXPECT_EQ(Content(ca.authority), half);
}

TEST_F(Ca, AuthorityWithAnotherKeyOrALeafInItsPlaceIsRefused) {
  SiteCa ca = Ensure().value();
  std::string authority = Content(ca.authority);
  std::ofstream(state_.ca() / "authority.key") << MakeKey().value().Reveal();
  EXPECT_THAT(Ensure().error().message, HasSubstr("authority.key is not its key"));
  fs::remove(state_.ca() / "authority.key");
  std::ofstream(ca.authority) << Content(ca.web);
  EXPECT_THAT(Ensure().error().message, HasSubstr("not a certificate authority's"));
}

TEST_F(Ca, CrashBetweenKeyAndCertificateIsHealed) {
  SiteCa ca = Ensure().value();
  std::string key = Content(state_.ca() / "authority.key");
  fs::remove(ca.authority);
  std::ofstream(state_.ca() / "authority.pem.new") << "half of a";
  ASSERT_TRUE(Ensure());
  EXPECT_EQ(Content(state_.ca() / "authority.key"), key);
  EXPECT_FALSE(fs::exists(state_.ca() / "authority.pem.new"));
}

TEST_F(Ca, AServerWithoutTheAuthoritysKeyUsesWhatItWasGiven) {
  SiteCa ca = Ensure().value();
  std::string east = Content(ca.datacenters.at("us-east"));
  fs::remove(state_.ca() / "authority.key");
  fs::remove(ca.datacenters.at("us-west"));
  WallTime late = kNow + kLeafLifetime - days{1};
  EXPECT_TRUE(EnsureCa(state_, site_, {"us-east"}, late));
  EXPECT_EQ(Content(ca.datacenters.at("us-east")), east);
  EXPECT_FALSE(fs::exists(state_.ca() / "authority.key"));

  Result<SiteCa> missing = Ensure();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("dc-us-west.pem"));
  EXPECT_FALSE(EnsureCa(state_, site_, {"us-east"}, kNow + kLeafLifetime));
}

TEST_F(Ca, ProcessesThatStartAtOnceAgree) {
  std::vector<std::string> east(4);
  {
    std::vector<std::jthread> starters;
    for (std::string& content : east) {
      starters.emplace_back([&] { content = Content(Ensure().value().datacenters.at("us-east")); });
    }
  }
  EXPECT_EQ(east, std::vector<std::string>(4, east[0]));
  EXPECT_TRUE(IsSignedBy(east[0], Content(state_.ca() / "authority.pem")));
}

TEST_F(Ca, LongestNamesFit) {
  site_.name = std::string(63, 's');
  site_.domain = std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') +
                 "." + std::string(6, 'd');
  site_.datacenters[0].name = std::string(63, 'd');
  Result<SiteCa> ca = EnsureCa(state_, site_, {site_.datacenters[0].name}, kNow);
  EXPECT_TRUE(ca) << ca.error().message;
}

}  // namespace
}  // namespace meridian::site
