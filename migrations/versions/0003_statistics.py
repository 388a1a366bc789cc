"""What statistics counts, freezes, reports and wants improved.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('statistics_day',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    sa.Column('rules', sa.Text(), nullable=False),
    sa.Column('built_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('day', 'part', name=op.f('pk_statistics_day'))
    )
    op.create_table('statistics_month',
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('month', 'part', name=op.f('pk_statistics_month'))
    )
    op.create_table('statistics_slice',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('version_id', sa.Text(), nullable=False),
    sa.Column('queue_name', sa.Text(), nullable=False),
    sa.Column('hall', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('region', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statistics_slice')),
    sa.UniqueConstraint('kind', 'way', 'version_id', 'queue_name', 'hall', 'unit', 'region', 'category', name='uq_statistics_slice_all')
    )
    op.create_table('statistics_calls',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('queue_name', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('offered', sa.Integer(), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('in_time', sa.Integer(), nullable=False),
    sa.Column('abandoned', sa.Integer(), nullable=False),
    sa.Column('short_abandoned', sa.Integer(), nullable=False),
    sa.Column('unserved', sa.Integer(), nullable=False),
    sa.Column('handled', sa.Integer(), nullable=False),
    sa.Column('waiting_seconds', sa.Double(), nullable=False),
    sa.Column('talking_seconds', sa.Double(), nullable=False),
    sa.Column('wrapup_seconds', sa.Double(), nullable=False),
    sa.Column('direct', sa.Integer(), nullable=False),
    sa.Column('followed', sa.Integer(), nullable=False),
    sa.Column('resolved', sa.Integer(), nullable=False),
    sa.Column('suggested', sa.Integer(), nullable=False),
    sa.Column('adopted', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'queue_name', 'category', name=op.f('pk_statistics_calls'))
    )
    op.create_table('statistics_hour',
    sa.Column('hour_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('queue_name', sa.Text(), nullable=False),
    sa.Column('offered', sa.Integer(), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('in_time', sa.Integer(), nullable=False),
    sa.Column('abandoned', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('hour_at', 'queue_name', name=op.f('pk_statistics_hour'))
    )
    op.create_table('statistics_spread',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('queue_name', sa.Text(), nullable=False),
    sa.Column('bucket', sa.Double(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'measure', 'queue_name', 'bucket', name=op.f('pk_statistics_spread'))
    )
    op.create_table('statistics_agent',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('concluded', sa.Integer(), nullable=False),
    sa.Column('missed', sa.Integer(), nullable=False),
    sa.Column('ready_seconds', sa.Double(), nullable=False),
    sa.Column('ringing_seconds', sa.Double(), nullable=False),
    sa.Column('talking_seconds', sa.Double(), nullable=False),
    sa.Column('wrapup_seconds', sa.Double(), nullable=False),
    sa.Column('paused_seconds', sa.Double(), nullable=False),
    sa.Column('rating_offered', sa.Integer(), nullable=False),
    sa.Column('rated', sa.Integer(), nullable=False),
    sa.Column('rating_skipped', sa.Integer(), nullable=False),
    sa.Column('rating_hung_up', sa.Integer(), nullable=False),
    sa.Column('rated_satisfied', sa.Integer(), nullable=False),
    sa.Column('rated_barely', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'agent_id', name=op.f('pk_statistics_agent'))
    )
    op.create_table('statistics_callbacks',
    sa.Column('grain', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('slice_id', sa.Integer(), nullable=False),
    sa.Column('owed', sa.Integer(), nullable=False),
    sa.Column('contacted', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('unreachable', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('due', sa.Integer(), nullable=False),
    sa.Column('in_time', sa.Integer(), nullable=False),
    sa.Column('cancelled', sa.Integer(), nullable=False),
    sa.Column('not_sampled', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['slice_id'], ['statistics_slice.id'], name=op.f('fk_statistics_callbacks_slice_id')),
    sa.PrimaryKeyConstraint('grain', 'day', 'slice_id', name=op.f('pk_statistics_callbacks'))
    )
    op.create_table('statistics_surveys',
    sa.Column('grain', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('slice_id', sa.Integer(), nullable=False),
    sa.Column('offered', sa.Integer(), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('completed', sa.Integer(), nullable=False),
    sa.Column('partial', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('skipped', sa.Integer(), nullable=False),
    sa.Column('expired', sa.Integer(), nullable=False),
    sa.Column('withdrawn', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['slice_id'], ['statistics_slice.id'], name=op.f('fk_statistics_surveys_slice_id')),
    sa.PrimaryKeyConstraint('grain', 'day', 'slice_id', name=op.f('pk_statistics_surveys'))
    )
    op.create_table('statistics_answers',
    sa.Column('grain', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('slice_id', sa.Integer(), nullable=False),
    sa.Column('question_key', sa.Text(), nullable=False),
    sa.Column('question_kind', sa.Text(), nullable=False),
    sa.Column('option', sa.Text(), nullable=False),
    sa.Column('excluded', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('weight', sa.Double(), nullable=False),
    sa.Column('squared', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['slice_id'], ['statistics_slice.id'], name=op.f('fk_statistics_answers_slice_id')),
    sa.PrimaryKeyConstraint('grain', 'day', 'slice_id', 'question_key', 'question_kind', 'option', 'excluded', name=op.f('pk_statistics_answers'))
    )
    op.create_index('ix_statistics_answers_question', 'statistics_answers', ['question_key', 'grain', 'day'], unique=False)
    op.create_table('report_period',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('figures', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('rules', sa.Text(), nullable=False),
    sa.Column('frozen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('corrections', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_period')),
    sa.UniqueConstraint('kind', 'first_day', name=op.f('uq_report_period_kind_first_day'))
    )
    op.create_table('scheduled_report',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('excel', sa.LargeBinary(), nullable=False),
    sa.Column('pdf', sa.LargeBinary(), nullable=False),
    sa.Column('excel_size', sa.Integer(), nullable=False),
    sa.Column('pdf_size', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduled_report')),
    sa.UniqueConstraint('kind', 'first_day', name=op.f('uq_scheduled_report_kind_first_day'))
    )
    op.create_table('improvement_item',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('matter', sa.Text(), nullable=False),
    sa.Column('window', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('target', sa.Double(), nullable=False),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('deadline_on', sa.Date(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('story', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('opened_by', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('measured_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_improvement_item'))
    )
    op.create_index('ix_improvement_item_state_deadline_on', 'improvement_item', ['state', 'deadline_on'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_improvement_item_state_deadline_on', table_name='improvement_item')
    op.drop_table('improvement_item')
    op.drop_table('scheduled_report')
    op.drop_table('report_period')
    op.drop_index('ix_statistics_answers_question', table_name='statistics_answers')
    op.drop_table('statistics_answers')
    op.drop_table('statistics_surveys')
    op.drop_table('statistics_callbacks')
    op.drop_table('statistics_agent')
    op.drop_table('statistics_spread')
    op.drop_table('statistics_hour')
    op.drop_table('statistics_calls')
    op.drop_table('statistics_slice')
    op.drop_table('statistics_month')
    op.drop_table('statistics_day')
