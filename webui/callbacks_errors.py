"""What callback refuses, in words for people. Importing it is enough."""

from flask_babel import gettext as _

from callback.agent_list import BadReportError, HeldByAnotherError, NothingDialledError, NotNowError
from callback.attempts import BadTimeError
from callback.door import CallbackStateError, UnknownAttemptError, UnknownCallbackError
from callback.opt_outs import NotOptedOutError
from callback.rules import BadRuleKeyError, RuleChangedError, UnknownRuleError
from telephony.outbound_actions import AlreadyDialledError, BadPhoneError
from webui.callbacks_words import hindrance_word, near
from webui.errors import says
from webui.house import current_house


def _not_now(error: NotNowError) -> str:
    why = hindrance_word(error.why)
    if error.at is None:
        return str(_("现在不能外呼：%(why)s。", why=why))
    return str(_("现在不能外呼：%(why)s，%(time)s 起可拨。", why=why, time=near(error.at, current_house().clock.now())))


says(UnknownCallbackError, lambda error: _("没有这条回访，它可能已按规定删除。请从回访列表重新进入。"))
says(UnknownAttemptError, lambda error: _("没有这次外呼，它可能已按规定删除。"))
says(HeldByAnotherError, lambda error: _("这条回访正被其他坐席占用，请选别的。"))
says(NotNowError, _not_now)
says(NothingDialledError, lambda error: _("还没有拨出，不能提交结果。请先外呼。"))
says(BadReportError, lambda error: _("请选择结果；改时间要填约定的时间。"))
says(BadTimeError, lambda error: _("这个时间不能约：已经过去，或不在约定回电的时段内。"))
says(CallbackStateError, lambda error: _("这条回访已有结果，或现在不由坐席外呼。请刷新列表。"))
says(AlreadyDialledError, lambda error: _("这次外呼已经拨出，不会重复拨。"))
says(BadPhoneError, lambda error: _("号码不能拨打，请核对。"))
says(UnknownRuleError, lambda error: _("没有这条规则，或没有这一版。"))
says(BadRuleKeyError, lambda error: _("规则编号用小写字母开头，只含小写字母、数字、下划线，2–60 个字符。"))
says(
    RuleChangedError,
    lambda error: _("他人已保存第 %(number)s 版，您的修改没有保存。请打开最新版核对后再改。", number=error.version_no),
)
says(NotOptedOutError, lambda error: _("这个号码不在名单上，可能已经解除。"))
