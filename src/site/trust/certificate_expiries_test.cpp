#include "site/trust/certificate_expiries.hpp"

#include <filesystem>
#include <string>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/file/file.hpp"
#include "io/loop.hpp"
#include "site/secret.hpp"
#include "site/trust/certificate.hpp"

namespace meridian::site {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string CertificateUntil(WallTime end) {
  const Secret key = MakeKey().value();
  const CertificateFacts facts{.use = CertificateUse::kAuthority,
                               .organization = "photos",
                               .common_name = "test",
                               .dns_names = {},
                               .addresses = {},
                               .not_before = WallTime(std::chrono::seconds{1'700'000'000}),
                               .not_after = end};
  return Sign(facts, {.subject_key = key, .issuer_key = key, .issuer_certificate = ""}).value();
}

class CertificateExpiriesTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(io::WriteFileAtomically(scratch_ / name.c_str(), content, 0600));
  }
  std::string Shown() {
    loop_.RunToEnd(expiries_.Show());
    return MetricsText(metrics_);
  }

  ScratchDir scratch_;
  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  Metrics metrics_;
  CertificateExpiries expiries_{metrics_,
                                "meridian_test_expiry_timestamp_seconds",
                                {{.name = "web", .path = scratch_ / "web.pem"},
                                 {.name = "authority", .path = scratch_ / "authority.pem"}}};
};

std::string SeriesOf(const char* name, int64_t seconds) {
  return fmt::format("meridian_test_expiry_timestamp_seconds{{certificate=\"{}\"}} {}\n", name,
                     seconds);
}

TEST_F(CertificateExpiriesTest, NothingIsShownBeforeTheFilesWereRead) {
  EXPECT_THAT(MetricsText(metrics_), Not(HasSubstr("expiry")));
}

TEST_F(CertificateExpiriesTest, TheEndOfEachIsShownAndThatOfARenewedOne) {
  Write("web.pem", CertificateUntil(WallTime(std::chrono::seconds{1'800'000'000})));
  Write("authority.pem", CertificateUntil(WallTime(std::chrono::seconds{2'100'000'000})));
  const std::string first = Shown();
  EXPECT_THAT(first, HasSubstr(SeriesOf("web", 1'800'000'000)));
  EXPECT_THAT(first, HasSubstr(SeriesOf("authority", 2'100'000'000)));
  Write("web.pem", CertificateUntil(WallTime(std::chrono::seconds{1'900'000'000})));
  EXPECT_THAT(Shown(), HasSubstr(SeriesOf("web", 1'900'000'000)));
}

TEST_F(CertificateExpiriesTest, OneThatCannotBeReadCountsAsExpiredLongAgo) {
  Write("web.pem", "-----BEGIN CERTIFICATE-----\ndamaged\n");
  EXPECT_THAT(Shown(), HasSubstr(SeriesOf("web", 0)));
  EXPECT_THAT(Shown(), HasSubstr(SeriesOf("authority", 0)));  // there is no such file
  Write("web.pem", CertificateUntil(WallTime(std::chrono::seconds{1'800'000'000})));
  EXPECT_THAT(Shown(), HasSubstr(SeriesOf("web", 1'800'000'000)));
  std::filesystem::remove(scratch_ / "web.pem");
  EXPECT_THAT(Shown(), HasSubstr(SeriesOf("web", 0)));
}

}  // namespace
}  // namespace meridian::site
