#include "agent/certificates.hpp"

#include <chrono>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/agent_world.hpp"
#include "base/clock.hpp"
#include "io/file/file.hpp"

namespace meridian::agent {
namespace {

using std::chrono::days;
using testing::HasSubstr;
using testing::Not;

class CertificatesTest : public testing::Test, public AgentWorld {
 protected:
  std::string Own() const { return io::ReadFile(ca_.datacenters.at("us-east"), 65536).value(); }

  Context context_ = MakeContext();
  Certificates certificates_{context_};
  WallTime now_ = SystemClock().Wall();
};

TEST_F(CertificatesTest, OneThatIsNoLongerFreshIsRenewedWhileTheDataCenterRuns) {
  std::string first = Own();
  EXPECT_EQ(certificates_.Renew(now_ + days(200)), "");
  EXPECT_EQ(Own(), first);
  EXPECT_EQ(certificates_.Renew(now_ + days(250)), "");
  EXPECT_NE(Own(), first);
}

TEST_F(CertificatesTest, WithoutTheAuthoritysKeyItIsAskedFor) {
  std::filesystem::remove(state_.ca() / "authority.key");
  std::string first = Own();
  EXPECT_EQ(certificates_.Renew(now_ + days(200)), "");
  std::string said = certificates_.Renew(now_ + days(250));
  EXPECT_THAT(said, HasSubstr("meridian ca"));
  EXPECT_THAT(said, HasSubstr("dc-us-east.pem"));
  EXPECT_THAT(said, Not(HasSubstr("dc-us-west.pem")));
  EXPECT_EQ(Own(), first);
}

}  // namespace
}  // namespace meridian::agent
