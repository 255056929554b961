#include "visit/visitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"
#include "site/trust/ca.hpp"
#include "visit/examples.hpp"
#include "visit/world.hpp"

namespace meridian::visit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// For requests that should time out. Long enough for a server in the same process to answer.
constexpr Duration kShortTimeouts = milliseconds{300};

class VisitorTest : public testing::Test {
 protected:
  VisitWorld world_;
};

TEST_F(VisitorTest, GoesToTheNearestDataCenterAndSaysWhatItWentThrough) {
  Visit visit = world_.GoOnce({});
  ASSERT_EQ(visit.attempts.size(), 1u);
  const Attempt& attempt = visit.attempts.front();
  EXPECT_EQ(attempt.status, 200);
  EXPECT_EQ(attempt.body_bytes, 5u);
  EXPECT_EQ(attempt.path, (ResponsePath{"us-east", "us-east", "us-east-1"}));
  EXPECT_TRUE(attempt.connect && attempt.request && !attempt.secure);
  EXPECT_GE(visit.took,
            attempt.connect.value_or(visit.took) + attempt.request.value_or(visit.took));
  EXPECT_EQ(ServedBy(world_.GoOnce({.from = "oregon"})), "us-west");
}

TEST_F(VisitorTest, AsksForBothFamiliesAndTheHttpsRecords) {
  Visit visit = world_.GoOnce({});
  ASSERT_EQ(visit.dns.size(), 3u);
  EXPECT_EQ(visit.dns[0].answer->addresses.front(), world_.site.datacenters[0].address);
  EXPECT_EQ(visit.dns[0].answer->subnet_scope, 24);
  EXPECT_EQ(visit.dns[1].answer->kind, DnsAnswer::Kind::kNoData);
  EXPECT_EQ(visit.dns[2].answer->services.size(), 2u);
  for (const DnsTry& attempt : visit.dns) EXPECT_EQ(attempt.server.data_center, "us-east");
}

TEST_F(VisitorTest, SendsWhatItWasAskedForAndAsksForThePath) {
  world_.east.handler = [](http::Exchange& exchange) -> io::Task<void> {
    const wire::http::RequestHead& request = exchange.request();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, "/a?b=c");
    EXPECT_EQ(request.authority, "photos.example");
    EXPECT_EQ(request.fields.Find("Meridian-Debug"), "1");
    EXPECT_TRUE(exchange.first_on_connection());
    (void)co_await http::RespondText(exchange, 200, "");
  };
  EXPECT_FALSE(Failed(world_.Go({.url = "http://photos.example/a?b=c"}, 2).back()));
}

TEST_F(VisitorTest, AnswersAreKeptForTheirTtl) {
  std::vector<Visit> visits = world_.Go({}, 2);
  EXPECT_EQ(visits[0].dns.size(), 3u);
  EXPECT_EQ(visits[1].dns.size(), 0u);
  EXPECT_FALSE(Failed(visits[1]));
}

TEST_F(VisitorTest, AnswersWithoutTtlAreAskedForAgain) {
  world_.east.answer_udp = [this](Bytes query) {
    return Messages{world_.Respond(query, dns::Transport::kUdp, 0)};
  };
  EXPECT_EQ(world_.Go({}, 2)[1].dns.size(), 3u);
}

TEST_F(VisitorTest, ARefusedConnectionIsFollowedByTheNextAddress) {
  world_.east.edge = ServerBehavior::kAbsent;
  Visit visit = world_.GoOnce({});
  ASSERT_EQ(visit.attempts.size(), 2u);
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kRefused);
  EXPECT_EQ(visit.attempts[0].address.data_center, "us-east");
  EXPECT_FALSE(Failed(visit));
  EXPECT_EQ(ServedBy(visit), "us-west");
}

TEST_F(VisitorTest, WithoutFallbackTheFirstAddressDecides) {
  world_.east.edge = ServerBehavior::kAbsent;
  Visit visit = world_.GoOnce({.fallback = false});
  EXPECT_EQ(visit.attempts.size(), 1u);
  EXPECT_TRUE(Failed(visit));
  EXPECT_EQ(visit.dns.size(), 2u);
}

TEST_F(VisitorTest, AResetIsFollowedByTheNextAddress) {
  world_.east.handler = [](http::Exchange& exchange) -> io::Task<void> {
    exchange.Break();
    co_return;
  };
  Visit visit = world_.GoOnce({});
  ASSERT_EQ(visit.attempts.size(), 2u);
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kReset);
  EXPECT_EQ(ServedBy(visit), "us-west");
}

TEST_F(VisitorTest, ABodyThatIsCutOffIsFollowedByTheNextAddress) {
  world_.east.handler = [](http::Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({.content_length = 10}));
    (void)co_await exchange.Write(AsBytes("half"));
    (void)co_await exchange.Flush();
  };
  Visit visit = world_.GoOnce({});
  ASSERT_EQ(visit.attempts.size(), 2u);
  EXPECT_EQ(visit.attempts[0].status, 200);
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kReset);
  EXPECT_EQ(ServedBy(visit), "us-west");
}

TEST_F(VisitorTest, ASilentEdgeIsFollowedByTheNextAddress) {
  world_.east.edge = ServerBehavior::kSilent;
  Visit visit = world_.GoOnce({.limits = {.silence_timeout = kShortTimeouts}});
  ASSERT_EQ(visit.attempts.size(), 2u);
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kTimeout);
  EXPECT_GT(visit.attempts[0].request.value_or(Duration{}), kShortTimeouts / 2);
  EXPECT_EQ(ServedBy(visit), "us-west");
}

TEST_F(VisitorTest, AResponseThatNeverEndsIsGivenUp) {
  world_.east.handler = [](http::Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({}));
    while (co_await exchange.Write(AsBytes("more")) && co_await exchange.Flush() &&
           co_await io::Sleep(milliseconds{10})) {
    }
  };
  Visit visit = world_.GoOnce({.fallback = false, .limits = {.response_timeout = kShortTimeouts}});
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kTimeout);
  EXPECT_EQ(visit.attempts[0].status, 200);
}

TEST_F(VisitorTest, AServersErrorIsAnAnswerAndAFailure) {
  world_.east.handler = [](http::Exchange& exchange) -> io::Task<void> {
    (void)co_await http::RespondText(exchange, 503, "later\n");
  };
  Visit visit = world_.GoOnce({});
  EXPECT_EQ(visit.attempts.size(), 1u);
  EXPECT_TRUE(Failed(visit));
  EXPECT_EQ(ServedBy(visit), "us-east");
}

TEST_F(VisitorTest, AResponseMayBeAsLongAsTheLimit) {
  EXPECT_FALSE(Failed(world_.GoOnce({.limits = {.max_body_bytes = 5}})));
  Visit too_long = world_.GoOnce({.limits = {.max_body_bytes = 4}});
  EXPECT_EQ(too_long.attempts.size(), 1u);
  EXPECT_EQ(ErrorOf(too_long.attempts[0]), Errc::kTooLarge);
}

TEST_F(VisitorTest, ARedirectionIsNotFollowedAndItsLocationIsCutShort) {
  std::string location(kMaxShownBytes + 1, 'x');
  world_.east.handler = [&](http::Exchange& exchange) -> io::Task<void> {
    wire::http::HeaderFields fields;
    fields.Add("Location", location);
    (void)co_await exchange.Respond({.status = 302, .fields = fields}, {});
  };
  Visit visit = world_.GoOnce({});
  EXPECT_EQ(visit.attempts[0].status, 302);
  EXPECT_EQ(visit.attempts[0].location, location.substr(1));
}

TEST_F(VisitorTest, WhenNobodyAnswersEveryAddressWasTried) {
  world_.east.edge = world_.west.edge = ServerBehavior::kAbsent;
  Visit visit = world_.GoOnce({});
  EXPECT_EQ(visit.attempts.size(), 2u);
  EXPECT_TRUE(Failed(visit));
}

TEST_F(VisitorTest, ANameThatIsNotThereIsAProblem) {
  Visit visit = world_.GoOnce({.url = "http://nowhere.photos.example/"});
  EXPECT_EQ(visit.problem.value_or(Error{}).code, Errc::kNotFound);
  EXPECT_THAT(visit.problem.value_or(Error{}).message, HasSubstr("NXDOMAIN"));
  EXPECT_TRUE(visit.attempts.empty());
}

TEST_F(VisitorTest, ANameWithoutAddressIsAProblem) {
  Visit visit = world_.GoOnce({.url = "http://_https.photos.example/"});
  EXPECT_EQ(visit.problem.value_or(Error{}).code, Errc::kNotFound);
}

TEST_F(VisitorTest, WithoutNameServersThereIsAProblem) {
  world_.east.dns = world_.west.dns = ServerBehavior::kAbsent;
  Visit visit = world_.GoOnce({.limits = {.dns_try_timeout = milliseconds{1}}});
  EXPECT_EQ(visit.problem.value_or(Error{}).code, Errc::kTimeout);
  EXPECT_THAT(visit.problem.value_or(Error{}).message,
              HasSubstr("no name server of the site answered"));
  EXPECT_EQ(visit.dns.size(), 12u);
}

// A site CA in a folder of its own.
class Authority {
 public:
  explicit Authority(const site::Site& site) {
    auto state = site::StateDir::Create(scratch_ / "state").value();
    auto made = site::EnsureCa(state, site, {"us-east"}, SystemClock().Wall()).value();
    authority_ = made.authority;
    server =
        io::TlsContext::ForServer({.certificate_path = made.web, .key_path = made.web}).value();
  }
  std::shared_ptr<io::TlsContext> Client() const {
    return io::TlsContext::ForClient(
               {.authorities_path = authority_, .peer = io::PeerCertificate::kRequired})
        .value();
  }
  std::shared_ptr<io::TlsContext> server;

 private:
  ScratchDir scratch_;
  std::string authority_;
};

TEST_F(VisitorTest, HttpsIsVerifiedWithTheSitesCa) {
  Authority authority(world_.site);
  world_.east.tls = authority.server;
  for (const char* url : {"https://photos.example/", "https://us-east.photos.example/"}) {
    Visit visit = world_.GoOnce({.url = url, .tls = authority.Client()});
    EXPECT_FALSE(Failed(visit)) << FailureOf(visit);
    EXPECT_TRUE(visit.attempts[0].secure.has_value());
    EXPECT_EQ(visit.attempts[0].address.endpoint.port, world_.site.ports.edge_https);
  }
}

TEST_F(VisitorTest, ACertificateOfAnotherCaIsAFailureWithoutFallback) {
  world_.east.tls = Authority(world_.site).server;
  Authority another(world_.site);
  Visit visit = world_.GoOnce({.url = "https://photos.example/", .tls = another.Client()});
  ASSERT_EQ(visit.attempts.size(), 1u);
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kPermission);
  EXPECT_TRUE(visit.attempts[0].secure && !visit.attempts[0].request);
}

TEST_F(VisitorTest, ATlsHandshakeThatDoesNotComeIsFollowedByTheNextAddress) {
  Authority authority(world_.site);
  world_.east.tls = world_.west.tls = authority.server;
  world_.east.edge = ServerBehavior::kSilent;
  Visit visit = world_.GoOnce({.url = "https://photos.example/",
                               .limits = {.connect_timeout = kShortTimeouts},
                               .tls = authority.Client()});
  ASSERT_EQ(visit.attempts.size(), 2u);
  EXPECT_EQ(ErrorOf(visit.attempts[0]), Errc::kTimeout);
  EXPECT_GT(visit.attempts[0].secure.value_or(Duration{}), kShortTimeouts / 2);
  EXPECT_EQ(ServedBy(visit), "us-west");
}

}  // namespace
}  // namespace meridian::visit
